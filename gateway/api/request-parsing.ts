// From what a client sent to what it asks for: a checked TaskSpec with its defaults, or an 'invalid-request' that names
// every fault. Both faces come through here (gRPC in the JSON form of its message), so both refuse the same things.
// Nothing a client can send makes it throw anything else.

import { createHash } from 'node:crypto';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { type FieldFault, ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { Json, TaskSpec } from '../../domain/task.ts';
import { oneIdempotencyKey } from './idempotency-key.ts';
import { invalidRequest, pointerStep } from './invalid-request.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { canonicalJson, findUnstorable } from './storable-json.ts';
import { type SubmitTaskBody, type SubmitTasksBody, submitTaskSchema, submitTasksSchema } from './submit-schema.ts';

export interface BatchRequest {
  readonly specs: readonly TaskSpec[];
  readonly idempotencyKey: string | null;
  readonly fingerprint: string | null;
}

export interface SubmitRequest {
  readonly spec: TaskSpec;
  readonly idempotencyKey: string | null;
  /** Equal for equal requests (after defaults, key order apart); null without an idempotency key. */
  readonly fingerprint: string | null;
}

const ajv = new Ajv2020({ allErrors: true, strict: true, useDefaults: true });
ajv.addFormat('date-time', (text) => parseRfc3339(text) !== null);
const fitsSubmitSchema = ajv.compile<SubmitTaskBody>(submitTaskSchema);
const fitsBatchSchema = ajv.compile<SubmitTasksBody>(submitTasksSchema);

/**
 * `body` is parsed JSON, ours to change: defaults are filled in. `headerKey` is the idempotency key that came beside
 * the body, if any; `now` is epoch milliseconds.
 */
export function parseSubmit(body: unknown, headerKey: string | null, now: number): SubmitRequest {
  // The body itself is one level around the payload.
  const unstorable = findUnstorable(body, limits.jsonDepthMax + 1);
  if (unstorable) throw invalidRequest([unstorable]);
  if (!fitsSubmitSchema(body)) throw invalidRequest(faultsOf(fitsSubmitSchema.errors ?? []));
  requirePayloadSize(body.payload);
  const idempotencyKey = oneIdempotencyKey(headerKey, body.idempotencyKey ?? null);
  return {
    spec: specOf(body, now),
    idempotencyKey,
    fingerprint: idempotencyKey === null ? null : hashOf(comparable(body)),
  };
}

/** As {@link parseSubmit}, for a batch: `{"tasks":[...]}`, one key for the whole of it. */
export function parseBatch(body: unknown, headerKey: string | null, now: number): BatchRequest {
  // The body, the list and each task are levels around the payloads.
  const unstorable = findUnstorable(body, limits.jsonDepthMax + 3);
  if (unstorable) throw invalidRequest([unstorable]);
  if (!fitsBatchSchema(body)) throw invalidRequest(faultsOf(fitsBatchSchema.errors ?? []));
  for (const [place, { payload }] of body.tasks.entries()) requirePayloadSize(payload, `/tasks/${place}/payload`);
  const idempotencyKey = oneIdempotencyKey(headerKey, body.idempotencyKey ?? null);
  return {
    specs: body.tasks.map((task) => specOf(task, now)),
    idempotencyKey,
    fingerprint: idempotencyKey === null ? null : hashOf({ tasks: body.tasks.map(comparable) }),
  };
}

function specOf(body: SubmitTaskBody, now: number): TaskSpec {
  const { type, queue, priority, timeoutMs, maxAttempts, labels, retentionMs, backoff } = body;
  return {
    type,
    payload: body.payload as Json,
    queue,
    priority,
    runAt: runAtOf(body, now),
    timeoutMs,
    maxAttempts,
    backoff: { ...backoff, maxDelayMs: backoff.maxDelayMs ?? null },
    labels,
    retentionMs,
  };
}

function runAtOf({ delayMs, runAt }: SubmitTaskBody, now: number): number | null {
  const wanted = runAt === undefined ? now + (delayMs ?? 0) : parseRfc3339(runAt);
  return wanted !== null && wanted > now ? wanted : null;
}

/** Made from the request and not from the spec, in which a delay has become a time that differs at each repetition. */
function comparable({ idempotencyKey: _, delayMs, runAt, ...rest }: SubmitTaskBody): object {
  const start = runAt === undefined ? { delayMs: delayMs ?? 0 } : { runAt: parseRfc3339(runAt) };
  return { ...rest, ...start };
}

function hashOf(request: object): string {
  return createHash('sha256').update(canonicalJson(request)).digest('base64url');
}

function requirePayloadSize(payload: unknown, pointer = '/payload'): void {
  const bytes = Buffer.byteLength(JSON.stringify(payload));
  if (bytes <= limits.payloadBytesMax) return;
  const detail = `is ${bytes} bytes as UTF-8 JSON; at most ${limits.payloadBytesMax} are taken`;
  throw new ServiceError('payload-too-large', `The payload ${detail}.`, { faults: [{ pointer, detail }] });
}

function faultsOf(errors: readonly ErrorObject[]): FieldFault[] {
  // A bad label key is told twice: as the key that does not match, and as propertyNames having failed.
  return errors.filter(({ keyword }) => keyword !== 'propertyNames').map(faultOf);
}

function faultOf({ keyword, instancePath, params, message, propertyName }: ErrorObject): FieldFault {
  const pointer = propertyName === undefined ? instancePath : instancePath + pointerStep(propertyName);
  switch (keyword) {
    case 'additionalProperties':
      return { pointer: pointer + pointerStep(params['additionalProperty']), detail: 'is no field that is known here' };
    case 'required':
      return { pointer: pointer + pointerStep(params['missingProperty']), detail: 'is required' };
    case 'enum':
      return { pointer, detail: `must be one of ${params['allowedValues'].join(', ')}` };
    case 'format':
      return { pointer, detail: 'must be a time as RFC 3339 has it, such as 2026-01-31T09:30:00Z' };
    case 'not':
      return { pointer: `${pointer}/runAt`, detail: 'cannot be given together with a delay' };
    default:
      return { pointer, detail: message ?? `does not fit (${keyword})` };
  }
}
