// From protobuf requests to what the API takes. A TaskSpec becomes the JSON body of a submit and is checked as that, so
// that both faces have one set of rules; the places in its faults are then told as field paths (`spec.delay_ms`).

import { type FieldFault, ServiceError } from '../../domain/errors.ts';
import { checkedIdempotencyKey } from '../api/idempotency-key.ts';
import { invalidRequest } from '../api/invalid-request.ts';
import { parseSubmit, type SubmitRequest } from '../api/request-parsing.ts';
import { formatRfc3339 } from '../api/rfc3339.ts';
import { boundedWaitMs } from '../api/wait-time.ts';
import { UnreadableMessage } from './grpc-protocol.ts';
import { millisecondsOfDuration, millisecondsOfTimestamp, type ProtoTime } from './proto-time.ts';
import { jsonOfValue, type ProtoValue } from './proto-value.ts';

/** Messages as @grpc/proto-loader reads them: a field that is not set is missing. */
export interface SubmitTaskMessage {
  readonly spec?: TaskSpecMessage;
  readonly idempotency_key?: string;
  readonly wait?: ProtoTime;
}

export interface GetTaskMessage {
  readonly id?: string;
  readonly wait?: ProtoTime;
}

interface TaskSpecMessage {
  readonly payload?: ProtoValue;
  readonly run_at?: ProtoTime;
  readonly backoff?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

const backoffTypes: Readonly<Record<string, string | undefined>> = {
  BACKOFF_TYPE_UNSPECIFIED: undefined,
  BACKOFF_TYPE_EXPONENTIAL: 'exponential',
  BACKOFF_TYPE_FIXED: 'fixed',
};

/** Throws 'invalid-request' for a message that could not be read. */
export function readable<Message extends object>(message: Message | UnreadableMessage): Message {
  if (!(message instanceof UnreadableMessage)) return message;
  throw new ServiceError('invalid-request', `The request message cannot be read: ${message.detail}.`);
}

export function submitOf(message: SubmitTaskMessage, now: number): SubmitRequest {
  if (!message.spec) throw invalidRequest([{ pointer: 'spec', detail: 'is required' }]);
  const key = message.idempotency_key ? checkedIdempotencyKey(message.idempotency_key) : null;
  try {
    return parseSubmit(bodyOf(message.spec), key, now);
  } catch (error) {
    throw error instanceof ServiceError ? withFieldPaths(error) : error;
  }
}

/** Milliseconds; 0 where no wait is set. */
export function waitMsOf(wait: ProtoTime | undefined): number {
  const ms = wait ? millisecondsOfDuration(wait) : 0;
  if (ms === null) throw invalidRequest([{ pointer: 'wait', detail: 'must be a valid duration, not negative' }]);
  return boundedWaitMs(ms);
}

function bodyOf({ payload, run_at, backoff, ...scalars }: TaskSpecMessage): Record<string, unknown> {
  const faults: FieldFault[] = [];
  const body = camelCased(scalars);
  if (payload) body['payload'] = jsonOfValue(payload, '/payload', faults);
  if (run_at) {
    const runAt = millisecondsOfTimestamp(run_at);
    if (runAt === null) faults.push({ pointer: '/runAt', detail: 'must be a valid timestamp' });
    else body['runAt'] = formatRfc3339(runAt);
  }
  if (backoff) body['backoff'] = backoffBody(backoff, faults);
  if (faults.length > 0) throw invalidRequest(faults);
  return body;
}

function backoffBody({ type, ...scalars }: Readonly<Record<string, unknown>>, faults: FieldFault[]): object {
  const name = String(type ?? 'BACKOFF_TYPE_UNSPECIFIED');
  if (!Object.hasOwn(backoffTypes, name)) faults.push({ pointer: '/backoff/type', detail: 'is no known BackoffType' });
  const known = backoffTypes[name];
  return { ...camelCased(scalars), ...(known && { type: known }) };
}

function camelCased(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [camelCase(name), value]));
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function withFieldPaths(error: ServiceError): ServiceError {
  if (error.faults.length === 0) return error;
  const faults = error.faults.map(({ pointer, detail }) => ({ pointer: fieldPath(pointer), detail }));
  if (error.reason === 'invalid-request') return invalidRequest(faults);
  return new ServiceError(error.reason, error.message, { faults });
}

/** `/backoff/delayMs` is `spec.backoff.delay_ms`; what lies in a map or in the payload keeps its own name. */
function fieldPath(pointer: string): string {
  const [, field = '', ...rest] = pointer.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const below = rest.map((step) => (field === 'backoff' ? `.${snakeCase(step)}` : `[${JSON.stringify(step)}]`));
  return `spec${field && `.${snakeCase(field)}`}${below.join('')}`;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
