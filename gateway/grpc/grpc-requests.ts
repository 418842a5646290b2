// From the protobuf requests about single tasks and batches to what the API takes. A TaskSpec becomes the JSON body of a
// submit and is checked as that, so that both faces have one set of rules; the places in its faults are then told as
// field paths (`spec.delay_ms`, `specs[3].delay_ms`).

import { type FieldFault, ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { parseCancel } from '../api/control-requests.ts';
import { checkedIdempotencyKey } from '../api/idempotency-key.ts';
import { invalidRequest } from '../api/invalid-request.ts';
import { type BatchRequest, parseBatch, parseSubmit, type SubmitRequest } from '../api/request-parsing.ts';
import { formatRfc3339 } from '../api/rfc3339.ts';
import { boundedWaitMs } from '../api/wait-time.ts';
import { aboutField, camelCased, type PathOf, specPath, withFieldPaths } from './field-paths.ts';
import { UnreadableMessage } from './grpc-protocol.ts';
import { millisecondsOfDuration, millisecondsOfTimestamp, type ProtoTime } from './proto-time.ts';
import { jsonOfValue, type ProtoValue } from './proto-value.ts';

/** Messages as @grpc/proto-loader reads them: a field that is not set is missing. */
export interface SubmitTaskMessage {
  readonly spec?: TaskSpecMessage;
  readonly idempotency_key?: string;
  readonly wait?: ProtoTime;
}

export interface SubmitTasksMessage {
  readonly specs?: readonly TaskSpecMessage[];
  readonly idempotency_key?: string;
}

export interface GetTaskMessage {
  readonly id?: string;
  readonly wait?: ProtoTime;
}

export interface CancelTaskMessage {
  readonly id?: string;
  readonly reason?: string;
}

export interface RetryTaskMessage {
  readonly id?: string;
  readonly idempotency_key?: string;
}

export interface TaskSpecMessage {
  readonly payload?: ProtoValue;
  readonly run_at?: ProtoTime;
  readonly backoff?: Readonly<Record<string, unknown>>;
  readonly after?: readonly string[];
  readonly after_members?: readonly number[];
  readonly after_failure?: unknown;
  readonly [field: string]: unknown;
}

/** Words of the JSON form by the names of an enum; undefined is the default. */
export type EnumWords = Readonly<Record<string, string | undefined>>;

const backoffTypes: EnumWords = {
  BACKOFF_TYPE_UNSPECIFIED: undefined,
  BACKOFF_TYPE_EXPONENTIAL: 'exponential',
  BACKOFF_TYPE_FIXED: 'fixed',
};
const afterFailures: EnumWords = {
  AFTER_FAILURE_UNSPECIFIED: undefined,
  AFTER_FAILURE_FAIL: 'fail',
  AFTER_FAILURE_RUN: 'run',
  AFTER_FAILURE_WAIT: 'wait',
};

/** Throws 'invalid-request' for a message that could not be read. */
export function readable<Message extends object>(message: Message | UnreadableMessage): Message {
  if (!(message instanceof UnreadableMessage)) return message;
  throw new ServiceError('invalid-request', `The request message cannot be read: ${message.detail}.`);
}

export async function submitOf(message: SubmitTaskMessage, now: number): Promise<SubmitRequest> {
  const { spec, idempotency_key } = message;
  if (!spec) throw invalidRequest([{ pointer: 'spec', detail: 'is required' }]);
  const key = await keyOf(idempotency_key);
  return withFieldPaths(pathsOfSubmit(message), () => {
    const faults: FieldFault[] = [];
    const body = bodyOf(spec, '', faults);
    if (spec.after_members?.length) {
      faults.push({ pointer: '/afterMembers', detail: 'is only for tasks that are submitted together (SubmitTasks)' });
    }
    if (faults.length > 0) throw invalidRequest(faults);
    return parseSubmit(body, key, now);
  });
}

export async function batchOf(message: SubmitTasksMessage, now: number): Promise<BatchRequest> {
  const { specs = [], idempotency_key } = message;
  const key = await keyOf(idempotency_key);
  return withFieldPaths(pathsOfBatch(message), () => {
    // Too many are refused by their number alone, so nothing needs to be made of them.
    if (specs.length > limits.batchTasksMax) return parseBatch({ tasks: specs }, key, now);
    const faults: FieldFault[] = [];
    const tasks = specs.map((spec, place) => bodyOf(spec, `/tasks/${place}`, faults));
    if (faults.length > 0) throw invalidRequest(faults);
    return parseBatch({ tasks }, key, now);
  });
}

/** Places in the JSON form of the message, as field paths. */
export function pathsOfSubmit({ spec }: SubmitTaskMessage): PathOf {
  return (steps) => `spec${specPath(steps, spec?.after?.length ?? 0)}`;
}

/** As {@link pathsOfSubmit}. */
export function pathsOfBatch({ specs = [] }: SubmitTasksMessage): PathOf {
  return ([, place, ...steps]) =>
    place === undefined ? 'specs' : `specs[${place}]${specPath(steps, specs[Number(place)]?.after?.length ?? 0)}`;
}

/** Null where none is given, which in protobuf is the empty text. */
export async function keyOf(text: string | undefined): Promise<string | null> {
  return text ? aboutField('idempotency_key', () => checkedIdempotencyKey(text)) : null;
}

/** Milliseconds; 0 where no wait is set. */
export function waitMsOf(wait: ProtoTime | undefined): number {
  const ms = wait ? millisecondsOfDuration(wait) : 0;
  if (ms === null) throw invalidRequest([{ pointer: 'wait', detail: 'must be a valid duration, not negative' }]);
  return boundedWaitMs(ms);
}

export function reasonOf({ reason = '' }: CancelTaskMessage): Promise<string> {
  return withFieldPaths(
    (steps) => steps.join('.'),
    () => parseCancel({ reason }),
  );
}

/** `faults` gets a line for each place that is none in JSON; `pointer` is that of the spec. */
export function bodyOf(
  { payload, run_at, backoff, after = [], after_members = [], after_failure, ...scalars }: TaskSpecMessage,
  pointer: string,
  faults: FieldFault[],
): Record<string, unknown> {
  const body = camelCased(scalars);
  if (payload) body['payload'] = jsonOfValue(payload, `${pointer}/payload`, faults);
  if (run_at) {
    const runAt = millisecondsOfTimestamp(run_at);
    if (runAt === null) faults.push({ pointer: `${pointer}/runAt`, detail: 'must be a valid timestamp' });
    else body['runAt'] = formatRfc3339(runAt);
  }
  if (backoff) body['backoff'] = backoffBody(backoff, `${pointer}/backoff`, faults);
  if (after.length + after_members.length > 0) body['after'] = [...after, ...after_members];
  const afterFailure = wordOf(after_failure, afterFailures, 'AfterFailure', `${pointer}/afterFailure`, faults);
  if (afterFailure) body['afterFailure'] = afterFailure;
  return body;
}

function backoffBody(
  { type, ...scalars }: Readonly<Record<string, unknown>>,
  pointer: string,
  faults: FieldFault[],
): object {
  const known = wordOf(type, backoffTypes, 'BackoffType', `${pointer}/type`, faults);
  return { ...camelCased(scalars), ...(known && { type: known }) };
}

/** An enum's value that is not set is its first one; one that is not known is read as its number. */
export function wordOf(value: unknown, words: EnumWords, enumName: string, pointer: string, faults: FieldFault[]) {
  const name = String(value ?? Object.keys(words)[0]);
  if (!Object.hasOwn(words, name)) faults.push({ pointer, detail: `is no known ${enumName}` });
  return words[name];
}
