// The payload of a built-in handler as an object with known members. Unknown ones are refused like unknown fields of a
// task, so that a typing mistake is seen.

import type { Json } from '../../../domain/task.ts';
import { invalidPayload } from './handler-failure.ts';

/** Throws `invalid_task`, not retryable, for anything but an object with no other members than `members`. */
export function objectPayload<Member extends string>(
  payload: Json,
  members: readonly Member[],
  example: string,
): Partial<Record<Member, Json>> {
  if (payload === null || typeof payload !== 'object' || Array.isArray(payload)) {
    throw invalidPayload(`the payload must be like ${example}`);
  }
  const unknown = Object.keys(payload).filter((key) => !(members as readonly string[]).includes(key));
  if (unknown.length > 0) {
    throw invalidPayload(`the payload has unknown members: ${unknown.join(', ')}; it must be like ${example}`);
  }
  return payload as Partial<Record<Member, Json>>;
}
