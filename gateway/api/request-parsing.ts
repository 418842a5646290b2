// From what a client sent to what it asks for: a checked TaskSpec with its defaults, or an 'invalid-request' that names
// every fault. Both faces come through here (gRPC in the JSON form of its message), so both refuse the same things.
// Nothing a client can send makes it throw anything else.

import { createHash } from 'node:crypto';
import { type FieldFault, ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { Dependency, Json, TaskSpec } from '../../domain/task.ts';
import { dependencyFaults } from './batch-dependencies.ts';
import { bodyCheck, listBodyCheck } from './body-check.ts';
import { oneIdempotencyKey } from './idempotency-key.ts';
import { invalidRequest } from './invalid-request.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { canonicalJson } from './storable-json.ts';
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

// The body itself is one level around the payload; of a batch the body, the list and each task are.
const checkSubmit = bodyCheck<SubmitTaskBody>(submitTaskSchema, limits.jsonDepthMax + 1);
const checkBatch = listBodyCheck<SubmitTasksBody>(submitTasksSchema, 'tasks', limits.jsonDepthMax + 3);

/**
 * `sent` is parsed JSON, ours to change: defaults are filled in. `headerKey` is the idempotency key that came beside
 * the body, if any; `now` is epoch milliseconds.
 */
export function parseSubmit(sent: unknown, headerKey: string | null, now: number): SubmitRequest {
  const body = checkSubmit(sent);
  refuseIfAny(deadlineFaults(body, now));
  requirePayloadSize(body.payload);
  const idempotencyKey = oneIdempotencyKey(headerKey, body.idempotencyKey ?? null);
  return {
    spec: specOf(body, now),
    idempotencyKey,
    fingerprint: idempotencyKey === null ? null : hashOf(comparable(body)),
  };
}

/** As {@link parseSubmit}, for a batch: `{"tasks":[...]}`, one key for the whole of it. */
export function parseBatch(sent: unknown, headerKey: string | null, now: number): BatchRequest {
  const body = checkBatch(sent);
  const late = body.tasks.flatMap((task, place) => deadlineFaults(task, now, `/tasks/${place}`));
  refuseIfAny([...dependencyFaults(body.tasks), ...late]);
  for (const [place, { payload }] of body.tasks.entries()) requirePayloadSize(payload, `/tasks/${place}/payload`);
  const idempotencyKey = oneIdempotencyKey(headerKey, body.idempotencyKey ?? null);
  return {
    specs: body.tasks.map((task) => specOf(task, now)),
    idempotencyKey,
    fingerprint: idempotencyKey === null ? null : hashOf({ tasks: body.tasks.map(comparable) }),
  };
}

/** `now` is what a delay counts from, epoch ms. */
export function specOf(body: SubmitTaskBody, now: number): TaskSpec {
  const { type, queue, priority, timeoutMs, maxAttempts, labels, retentionMs, backoff } = body;
  const { after, afterFailure } = dependenciesIn(body);
  return {
    type,
    payload: body.payload as Json,
    queue,
    priority,
    runAt: runAtOf(body, now),
    timeoutMs,
    maxAttempts,
    backoff: backoffOf(backoff),
    labels,
    retentionMs,
    deadlineMs: body.deadlineMs ?? null,
    exclusiveKey: body.exclusiveKey ?? null,
    after,
    afterFailure,
  };
}

function backoffOf({ type, delayMs, maxDelayMs, jitter }: SubmitTaskBody['backoff']): TaskSpec['backoff'] {
  return { type, delayMs, maxDelayMs: maxDelayMs ?? null, jitter };
}

/** What is to happen when one of none fails says nothing, and is not kept. */
function dependenciesIn({ after, afterFailure }: SubmitTaskBody): Pick<TaskSpec, 'after' | 'afterFailure'> {
  if (after.length === 0) return { after: [], afterFailure: 'fail' };
  return { after: after as readonly Dependency[], afterFailure }; // texts have the form of ids by now
}

function runAtOf({ delayMs, runAt }: SubmitTaskBody, now: number): number | null {
  const wanted = runAt === undefined ? now + (delayMs ?? 0) : parseRfc3339(runAt);
  return wanted !== null && wanted > now ? wanted : null;
}

/** A task whose time comes at its deadline, or later, could never run. */
function deadlineFaults(body: SubmitTaskBody, now: number, pointer = ''): FieldFault[] {
  const runAt = runAtOf(body, now);
  const { deadlineMs } = body;
  if (runAt === null || deadlineMs === undefined || runAt < now + deadlineMs) return [];
  const start = body.runAt === undefined ? 'delayMs' : 'runAt';
  return [{ pointer: `${pointer}/deadlineMs`, detail: `must reach beyond ${start}, or the task can never run` }];
}

function refuseIfAny(faults: readonly FieldFault[]): void {
  if (faults.length > 0) throw invalidRequest(faults);
}

/** Made from the request and not from the spec, in which a delay has become a time that differs at each repetition. */
function comparable({ idempotencyKey: _, delayMs, runAt, after, afterFailure, ...rest }: SubmitTaskBody): object {
  const start = runAt === undefined ? { delayMs: delayMs ?? 0 } : { runAt: parseRfc3339(runAt) };
  return { ...rest, ...start, ...(after.length > 0 && { after, afterFailure }) };
}

function hashOf(request: object): string {
  return createHash('sha256').update(canonicalJson(request)).digest('base64url');
}

export function requirePayloadSize(payload: unknown, pointer = '/payload'): void {
  const bytes = Buffer.byteLength(JSON.stringify(payload));
  if (bytes <= limits.payloadBytesMax) return;
  const detail = `is ${bytes} bytes as UTF-8 JSON; at most ${limits.payloadBytesMax} are taken`;
  throw new ServiceError('payload-too-large', `The payload ${detail}.`, { faults: [{ pointer, detail }] });
}
