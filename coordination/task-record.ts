// A task as the data of its znode (contract section 1, "Records"). Ours is JSON with `"v":1`; any other text that a person writes is
// a command for the shell. Old records lack what came later, and have the default of that. Pure.

import { limits } from '../domain/limits.ts';
import type { Backoff, Dependency, Json, ScheduledBy, TaskRecord } from '../domain/task.ts';
import { afterFailures } from '../domain/task.ts';
import { parseTaskId } from '../domain/task-id.ts';
import {
  clamp,
  encode,
  fromTimestamp,
  isObject,
  type JsonObject,
  newerVersion,
  parseObject,
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

/** Written out, since V8 makes an object of several spreads many times slower; JSON has no member for `undefined`. */
export function encodeTask(record: TaskRecord): Buffer {
  const { after, schedule } = record;
  return encode({
    v: 1,
    type: record.type,
    payload: record.payload,
    queue: record.queue,
    priority: record.priority,
    timeoutMs: record.timeoutMs,
    maxAttempts: record.maxAttempts,
    backoff: record.backoff,
    labels: record.labels,
    retentionMs: record.retentionMs,
    submitId: record.submitId,
    runAt: toTimestamp(record.runAt),
    submittedAt: toTimestamp(record.submittedAt),
    idempotencyKey: record.idempotencyKey ?? undefined,
    retryOf: record.retryOf ?? undefined,
    batch: record.batch ?? undefined,
    deadlineMs: record.deadlineMs ?? undefined,
    exclusiveKey: record.exclusiveKey ?? undefined,
    after: after.length > 0 ? after : undefined,
    afterFailure: after.length > 0 ? record.afterFailure : undefined,
    schedule: schedule ? { name: schedule.name, at: toTimestamp(schedule.at) } : undefined,
  } satisfies { [name in keyof TaskRecord | 'v']: unknown });
}

const members: Readonly<Record<keyof TaskRecord | 'v', true>> = {
  ...{ v: true, type: true, payload: true, queue: true, priority: true, runAt: true, timeoutMs: true },
  ...{ maxAttempts: true, backoff: true, labels: true, retentionMs: true, submitId: true, submittedAt: true },
  ...{ idempotencyKey: true, retryOf: true, batch: true, deadlineMs: true, exclusiveKey: true },
  ...{ after: true, afterFailure: true, schedule: true },
};

/** What is in a task and no version up to ours has put there. */
export function unknownTaskMembers(task: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(task).filter(([name]) => !Object.hasOwn(members, name)));
}

/** `createdAt` is the znode's creation time: when a task made by hand counts as submitted. */
export function decodeTask(data: Buffer, createdAt: number): TaskReading {
  if (data.length > limits.recordBytesMax) return invalid(`its ${data.length} bytes are over ${limits.recordBytesMax}`);
  const text = data.toString('utf8');
  if (!text.trimStart().startsWith('{')) return { kind: 'task', record: shellTask(text.trim(), createdAt) };
  const object = parseObject(text);
  if (!object) return invalid('it begins like a JSON object and is none, or is nested too deeply');
  const v = newerVersion(object);
  if (v !== null) return { kind: 'newer', v };
  if (object['v'] !== 1) return invalid('it has no "v":1, so it is no task record');
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
