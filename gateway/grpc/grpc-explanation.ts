// An explanation in the protobuf of the gRPC face: the same fields as in JSON, unset where they have no value.

import type { Explanation } from '../../domain/explanation.ts';
import { wellFormed } from '../../domain/well-formed.ts';
import { stateName } from './grpc-task.ts';
import { type ProtoTime, timestampOf } from './proto-time.ts';

export function explanationMessage({ state, message, since, until, also, ...rest }: Explanation): object {
  return {
    ...rest,
    state: state === null ? 'TASK_STATE_UNSPECIFIED' : stateName(state),
    message: wellFormed(message),
    since: timeOrUnset(since),
    until: timeOrUnset(until),
    also: also.map((other) => ({ reason: other.reason, message: wellFormed(other.message) })),
  };
}

function timeOrUnset(epochMs: number | null): ProtoTime | null {
  return epochMs === null ? null : timestampOf(epochMs);
}
