// How the vocabulary of domain/task.ts looks as the data of znodes (contract section 1, "Records"). Ours is JSON with
// `"v":1`; people and other programs write plain text, and every reader here makes sense of that or says that there is
// none to be made. Members that we do not know are kept when a record is written again. Pure.

import { limits } from '../domain/limits.ts';
import type { AssignmentRecord, AttemptRecord, Json, StatusRecord, TaskError, WorkerRecord } from '../domain/task.ts';
import { finalStates, withdrawReasons } from '../domain/task.ts';
import {
  clamp,
  encode,
  fromTimestamp,
  isObject,
  type JsonObject,
  parseObject,
  readNames,
  readText,
  toTimestamp,
} from './record-json.ts';

export function encodeStatus(status: StatusRecord): Buffer {
  const { state, result, error } = status;
  return encode({
    v: 1,
    state,
    result: state === 'succeeded' ? result : undefined,
    error: state === 'succeeded' ? undefined : error,
    attempt: status.attempt,
    worker: status.worker,
    startedAt: toTimestamp(status.startedAt),
    finishedAt: toTimestamp(status.finishedAt),
  } satisfies { [name in keyof StatusRecord | 'v']: unknown });
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
  return encode(previous.length === 0 ? known : { ...parseObject(previous.toString('utf8')), ...known });
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
