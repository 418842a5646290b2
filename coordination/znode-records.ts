// How the vocabulary of domain/task.ts looks as the data of znodes (contract section 1, "Records"). Ours is JSON with
// `"v":1`; people and other programs write plain text, and every reader here makes sense of that or says that there is
// none to be made. Members that we do not know are kept when a record is written again. Pure.

import { limits } from '../domain/limits.ts';
import type {
  AssignmentRecord,
  AttemptRecord,
  Backoff,
  Dependency,
  Json,
  ScheduledBy,
  StatusRecord,
  TaskError,
  TaskRecord,
  WorkerRecord,
} from '../domain/task.ts';
import { afterFailures, finalStates, withdrawReasons } from '../domain/task.ts';
import { parseTaskId } from '../domain/task-id.ts';
import {
  clamp,
  encode,
  fromTimestamp,
  isObject,
  type JsonObject,
  parseObject,
  readNames,
  readText,
  readTexts,
  toTimestamp,
} from './record-json.ts';

/**
 * What the data of a task znode turned out to be: a task; one that a newer version of us wrote and that is left to it;
 * or none, which ends it as failed with `invalid_task`.
 */
export type TaskReading =
  | { readonly kind: 'task'; readonly record: TaskRecord }
  | { readonly kind: 'newer'; readonly v: number }
  | { readonly kind: 'invalid'; readonly why: string };

export function encodeTask(record: TaskRecord): Buffer {
  const { idempotencyKey, retryOf, batch, runAt, submittedAt, ...others } = record;
  const { deadlineMs, exclusiveKey, after, afterFailure, schedule, ...rest } = others;
  return encode({
    v: 1,
    ...rest,
    runAt: toTimestamp(runAt),
    submittedAt: toTimestamp(submittedAt),
    ...(idempotencyKey !== null && { idempotencyKey }),
    ...(retryOf !== null && { retryOf }),
    ...(batch !== null && { batch }),
    ...(deadlineMs !== null && { deadlineMs }),
    ...(exclusiveKey !== null && { exclusiveKey }),
    ...(after.length > 0 && { after: [...after], afterFailure }),
    ...(schedule !== null && { schedule: { ...schedule, at: toTimestamp(schedule.at) } }),
  });
}

/** `createdAt` is the znode's creation time: when a task made by hand counts as submitted. */
export function decodeTask(data: Buffer, createdAt: number): TaskReading {
  if (data.length > limits.recordBytesMax) return invalid(`its ${data.length} bytes are over ${limits.recordBytesMax}`);
  const text = data.toString('utf8');
  if (!text.trimStart().startsWith('{')) return { kind: 'task', record: shellTask(text.trim(), createdAt) };
  const object = parseObject(text);
  if (!object) return invalid('it begins like a JSON object and is none, or is nested too deeply');
  const { v } = object;
  if (typeof v === 'number' && Number.isInteger(v) && v > 1) return { kind: 'newer', v };
  if (v !== 1) return invalid('it has no "v":1, so it is no task record');
  return readTask(object, createdAt);
}

function invalid(why: string): TaskReading {
  return { kind: 'invalid', why };
}

const defaultBackoff: Backoff = {
  type: 'exponential',
  delayMs: limits.backoffDelayMsDefault,
  maxDelayMs: null,
  jitter: true,
};

/** The options of a task that says nothing about them. */
export const defaultTaskOptions = {
  payload: null as Json,
  queue: 'default',
  priority: 0,
  runAt: null,
  timeoutMs: limits.timeoutMsDefault,
  maxAttempts: limits.attemptsDefault,
  backoff: defaultBackoff,
  labels: {},
  retentionMs: limits.retentionMsDefault,
  deadlineMs: null,
  exclusiveKey: null,
  after: [] as readonly Dependency[],
  afterFailure: 'fail',
} as const;

/** Any text that is no JSON object is a command, as in `create -s /tasks/task- "echo hello"`. */
function shellTask(command: string, createdAt: number): TaskRecord {
  const origin = { submitId: null, submittedAt: createdAt, idempotencyKey: null, retryOf: null, batch: null };
  return { ...defaultTaskOptions, type: 'shell', payload: command, ...origin, schedule: null };
}

const namePattern = new RegExp(limits.namePattern);

function readTask(object: JsonObject, createdAt: number): TaskReading {
  const type = object['type'];
  if (typeof type !== 'string' || !namePattern.test(type)) return invalid('its "type" is no handler name');
  const queue = object['queue'] ?? defaultTaskOptions.queue;
  if (typeof queue !== 'string' || !namePattern.test(queue)) return invalid('its "queue" is no queue name');
  const after = readDependencies(object['after']);
  if (!after) return invalid('its "after" is no list of tasks to come after');
  const exclusiveKey = object['exclusiveKey'] ?? null;
  if (exclusiveKey !== null && typeof exclusiveKey !== 'string') return invalid('its "exclusiveKey" is no text');
  const bounded = (key: 'priority' | 'timeoutMs' | 'maxAttempts' | 'retentionMs', min: number, max: number): number =>
    clamp(object[key], min, max) ?? defaultTaskOptions[key];
  const record: TaskRecord = {
    type,
    queue,
    payload: object['payload'] ?? null,
    priority: bounded('priority', limits.priorityMin, limits.priorityMax),
    runAt: fromTimestamp(object['runAt']),
    timeoutMs: bounded('timeoutMs', limits.timeoutMsMin, limits.timeoutMsMax),
    maxAttempts: bounded('maxAttempts', 1, limits.attemptsMax),
    backoff: readBackoff(object['backoff']),
    labels: readTexts(object['labels']),
    retentionMs: bounded('retentionMs', 0, limits.retentionMsMax),
    submitId: readText(object['submitId']),
    submittedAt: fromTimestamp(object['submittedAt']) ?? createdAt,
    idempotencyKey: readText(object['idempotencyKey']),
    retryOf: readText(object['retryOf']),
    batch: readBatch(object['batch']),
    deadlineMs: clamp(object['deadlineMs'], limits.deadlineMsMin, limits.deadlineMsMax),
    exclusiveKey: readText(exclusiveKey),
    after,
    afterFailure: afterFailures.find((known) => known === object['afterFailure']) ?? 'fail',
    schedule: readScheduledBy(object['schedule']),
  };
  return { kind: 'task', record };
}

function readBackoff(value: Json | undefined): Backoff {
  if (!isObject(value)) return defaultBackoff;
  return {
    type: value['type'] === 'fixed' ? 'fixed' : 'exponential',
    delayMs: clamp(value['delayMs'], 0, limits.backoffDelayMsMax) ?? defaultBackoff.delayMs,
    maxDelayMs: clamp(value['maxDelayMs'], 0, limits.backoffDelayMsMax),
    jitter: value['jitter'] !== false,
  };
}

/** Null where it cannot be told what the task has to wait for: to run it too early would be worse than not at all. */
function readDependencies(value: Json | undefined): readonly Dependency[] | null {
  if (value === undefined || value === null) return defaultTaskOptions.after;
  if (!Array.isArray(value) || value.length > limits.dependenciesMax) return null;
  const read = value.map((item) => (typeof item === 'string' ? parseTaskId(item) : readPlace(item)));
  return read.every((dependency) => dependency !== null) ? read : null;
}

function readPlace(value: Json): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < limits.batchTasksMax
    ? value
    : null;
}

function readScheduledBy(value: Json | undefined): ScheduledBy | null {
  const name = isObject(value) ? readText(value['name']) : null;
  return isObject(value) && name !== null ? { name, at: fromTimestamp(value['at']) } : null;
}

function readBatch(value: Json | undefined): TaskRecord['batch'] {
  if (!isObject(value)) return null;
  const size = clamp(value['size'], 1, limits.batchTasksMax);
  const index = size && clamp(value['index'], 0, size - 1);
  return size === null || index === null ? null : { index, size };
}

export function encodeStatus(status: StatusRecord): Buffer {
  const { result, error, startedAt, finishedAt, state, ...rest } = status;
  return encode({
    v: 1,
    state,
    ...(state === 'succeeded' ? { result } : { error: error && { ...error } }),
    ...rest,
    startedAt: toTimestamp(startedAt),
    finishedAt: toTimestamp(finishedAt),
  });
}

/** Any text that is no status of ours means succeeded with that text as the result, as in `create .../status "done"`. */
export function decodeStatus(data: Buffer, createdAt: number): StatusRecord {
  const text = data.toString('utf8');
  const object = parseObject(text);
  const state = finalStates.find((known) => known === object?.['state']);
  if (!object || !state) {
    const result = text === '' ? null : text;
    return {
      state: 'succeeded',
      result,
      error: null,
      attempt: 1,
      worker: null,
      startedAt: null,
      finishedAt: createdAt,
    };
  }
  return {
    state,
    result: state === 'succeeded' ? (object['result'] ?? null) : null,
    error: state === 'succeeded' ? null : readError(object['error']),
    attempt: clamp(object['attempt'], 0, limits.attemptsMax) ?? 1,
    worker: readText(object['worker']),
    startedAt: fromTimestamp(object['startedAt']),
    finishedAt: fromTimestamp(object['finishedAt']) ?? createdAt,
  };
}

export function encodeAttempt(record: AttemptRecord): Buffer {
  return encode({
    v: 1,
    ...record,
    error: record.error && { ...record.error },
    startedAt: toTimestamp(record.startedAt),
    finishedAt: toTimestamp(record.finishedAt),
    retryAt: toTimestamp(record.retryAt),
  });
}

/** What cannot be read still counts as a failed attempt with the number that its name has. */
export function decodeAttempt(data: Buffer, attempt: number, createdAt: number): AttemptRecord {
  const object = parseObject(data.toString('utf8')) ?? {};
  const outcomes = ['succeeded', 'failed', 'timed_out', 'lost'] as const;
  return {
    attempt,
    worker: readText(object['worker']),
    outcome: outcomes.find((known) => known === object['outcome']) ?? 'failed',
    error: isObject(object['error']) ? readError(object['error']) : null,
    startedAt: fromTimestamp(object['startedAt']),
    finishedAt: fromTimestamp(object['finishedAt']) ?? createdAt,
    retryAt: fromTimestamp(object['retryAt']),
  };
}

/** `previous` is the data that is replaced: members that we do not know stay, unless they are too deep to be written. */
export function encodeAssignment(record: AssignmentRecord, previous: Buffer = Buffer.alloc(0)): Buffer {
  const known: JsonObject = { v: 1, startedAt: toTimestamp(record.startedAt) };
  if (record.attempt !== null) known['attempt'] = record.attempt;
  if (record.withdraw !== null) known['withdraw'] = record.withdraw;
  if (record.progress !== null) known['progress'] = { ...record.progress };
  return encode({ ...parseObject(previous.toString('utf8')), ...known });
}

/** Empty data, or anything that is no JSON object, is a person's: every member null. */
export function decodeAssignment(data: Buffer): AssignmentRecord {
  const object = parseObject(data.toString('utf8')) ?? {};
  const withdraw = withdrawReasons.find((known) => known === object['withdraw']);
  const progress = object['progress'];
  const percent = isObject(progress) ? clamp(progress['percent'], 0, 100) : null;
  return {
    attempt: clamp(object['attempt'], 1, limits.attemptsMax),
    startedAt: fromTimestamp(object['startedAt']),
    withdraw: withdraw ?? null,
    progress: isObject(progress) && percent !== null ? { percent, message: readText(progress['message']) } : null,
  };
}

export function encodeWorker(record: WorkerRecord): Buffer {
  const { types, queues, ...rest } = record;
  return encode({ v: 1, ...rest, ...(types && { types: [...types] }), ...(queues && { queues: [...queues] }) });
}

/** Null for empty data: that is no worker. Any other text is the address of one that takes one task of any type. */
export function decodeWorker(data: Buffer): WorkerRecord | null {
  const text = data.toString('utf8').trim();
  if (text === '') return null;
  const object = parseObject(text);
  const address = readText(object?.['address']);
  if (!object || address === null) {
    return { address: text, concurrency: 1, types: null, queues: null, draining: false };
  }
  return {
    address,
    concurrency: clamp(object['concurrency'], 0, limits.workerConcurrencyMax) ?? 1,
    types: readNames(object['types']),
    queues: readNames(object['queues']),
    draining: object['draining'] === true,
  };
}

/** What `/idempotency/<bucket>/<hash>` says of the request that its key stands for. */
export interface KeyRecord {
  readonly fingerprint: string;
  readonly submitId: string;
  /** No lower number can be that of the task. */
  readonly nextNumber: number;
}

export function encodeKey(record: KeyRecord): Buffer {
  return encode({ v: 1, ...record });
}

export function decodeKey(data: Buffer): KeyRecord | null {
  const object = parseObject(data.toString('utf8'));
  const fingerprint = readText(object?.['fingerprint']);
  const submitId = readText(object?.['submitId']);
  const nextNumber = clamp(object?.['nextNumber'], 0, limits.taskNumberMax) ?? 0;
  return fingerprint === null || submitId === null ? null : { fingerprint, submitId, nextNumber };
}

function readError(value: Json | undefined): TaskError {
  const object = isObject(value) ? value : {};
  const code = (readText(object['code']) ?? 'handler_error') as TaskError['code'];
  return { code, message: readText(object['message']) ?? '' };
}
