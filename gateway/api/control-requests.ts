// What is asked of tasks and queues that are there already, checked: both faces come through here (gRPC in the JSON form of
// its message). Throws 'invalid-request', naming every fault.

import { ServiceError } from '../../domain/errors.ts';
import type { QueueSettings } from '../../domain/queue-settings.ts';
import { bodyCheck, valueCheck } from './body-check.ts';
import { cancelTaskSchema, retryTaskSchema, settableQueueNameSchema, updateQueueSchema } from './control-schemas.ts';
import { oneIdempotencyKey } from './idempotency-key.ts';

const checkCancel = bodyCheck<{ readonly reason: string }>(cancelTaskSchema, 2);
const checkRetry = bodyCheck<{ readonly idempotencyKey?: string }>(retryTaskSchema, 2);
const checkUpdate = bodyCheck<Partial<QueueSettings>>(updateQueueSchema, 2);
const queueNameFault = valueCheck(settableQueueNameSchema);

/** The reason, `''` where none is given. `body` is undefined where there was none. */
export function parseCancel(body: unknown): string {
  return checkCancel(body === undefined ? {} : body).reason;
}

/** The idempotency key, from beside the body or out of it; null: none. `body` is undefined where there was none. */
export function parseRetry(body: unknown, headerKey: string | null): string | null {
  return oneIdempotencyKey(headerKey, checkRetry(body === undefined ? {} : body).idempotencyKey ?? null);
}

/** What is to be changed. */
export function parseQueueUpdate(body: unknown): Partial<QueueSettings> {
  return checkUpdate(body);
}

/** The name of a queue that settings can be made of. */
export function parseQueueName(name: string): string {
  const fault = queueNameFault(name);
  if (fault === null) return name;
  throw new ServiceError('invalid-request', `The name of the queue, ${JSON.stringify(name.slice(0, 80))}, ${fault}.`);
}
