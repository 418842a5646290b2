// Schedules and how far they have come, as the data of `/schedules/<name>` and of `ticks` below it: JSON with `"v":1`. People
// write definitions too, so what is left out has its default (`since` is the last change); but what cannot be what it says is not
// guessed at: the schedule is then unreadable as a whole, and makes nothing until somebody mends it. Pure.

import { limits } from '../domain/limits.ts';
import {
  intervalTicks,
  type NextTick,
  overlaps,
  type ScheduleRecord,
  skipReasons,
  type TickState,
  type Timing,
} from '../domain/schedule.ts';
import type { Json, TaskRecord, TaskSpec } from '../domain/task.ts';
import { parseTaskId } from '../domain/task-id.ts';
import { CronFault } from '../runtime/cron-expression.ts';
import { cronTicks } from '../runtime/cron-ticks.ts';
import {
  clamp,
  encode,
  fromTimestamp,
  isObject,
  type JsonObject,
  newerVersion,
  parseObject,
  readText,
  toTimestamp,
} from './record-json.ts';
import { decodeTask, encodeTask, unknownTaskMembers } from './task-record.ts';

export type ScheduleReading =
  | { readonly kind: 'schedule'; readonly record: ScheduleRecord; readonly next: NextTick }
  | { readonly kind: 'unreadable'; readonly why: string; readonly isNewer: boolean };

/** `previous` is the data that is replaced: members that we do not know stay, of its task, too. */
export function encodeSchedule(record: ScheduleRecord, previous: Buffer = Buffer.alloc(0)): Buffer {
  const before = parseObject(previous.toString('utf8')) ?? {};
  const { cron: _cron, timeZone: _zone, everyMs: _every, ...others } = before;
  const ofTask = isObject(before['task']) ? unknownTaskMembers(before['task']) : {};
  const { timing, task, overlap, catchUp, paused, since } = record;
  const times = timing.kind === 'cron' ? { cron: timing.cron, timeZone: timing.timeZone } : { everyMs: timing.everyMs };
  return encode({
    ...others,
    v: 1,
    ...times,
    task: { ...ofTask, ...taskMembers(task) },
    overlap,
    catchUp,
    paused,
    since: toTimestamp(since),
  });
}

/** `changedAt` is when the znode was last changed, by the ensemble's clock. */
export function decodeSchedule(data: Buffer, changedAt: number): ScheduleReading {
  if (data.length > limits.recordBytesMax)
    return unreadable(`its ${data.length} bytes are over ${limits.recordBytesMax}`);
  const object = parseObject(data.toString('utf8'));
  if (!object) return unreadable('it is no JSON object');
  const v = newerVersion(object);
  if (v !== null) return unreadable(`its version ${v} is left to a newer Taskkeeper`, true);
  if (object['v'] !== 1) return unreadable('it has no "v":1');
  return readSchedule(object, changedAt);
}

function unreadable(why: string, isNewer = false): ScheduleReading {
  return { kind: 'unreadable', why, isNewer };
}

function readSchedule(object: JsonObject, changedAt: number): ScheduleReading {
  const task = readSpec(object['task']);
  if (typeof task === 'string') return unreadable(task);
  const overlap = overlaps.find((known) => known === (object['overlap'] ?? 'skip'));
  if (!overlap) return unreadable(`its "overlap" is none of ${overlaps.join(', ')}`);
  const catchUp = object['catchUp'] ?? limits.scheduleCatchUpDefault;
  if (clamp(catchUp, 0, limits.scheduleCatchUpMax) !== catchUp) return unreadable('its "catchUp" is not from 0 to 100');
  const paused = object['paused'] ?? false;
  if (typeof paused !== 'boolean') return unreadable('its "paused" is neither true nor false');
  const since = object['since'] === undefined ? changedAt : fromTimestamp(object['since']);
  if (since === null) return unreadable('its "since" is no time');
  const timing = readTiming(object);
  if (typeof timing === 'string') return unreadable(timing);
  const next = ticksOf(timing, since);
  if (typeof next === 'string') return unreadable(next);
  return { kind: 'schedule', record: { timing, task, overlap, catchUp, paused, since }, next };
}

/** A text says what is wrong. */
function readTiming({ cron, timeZone = 'UTC', everyMs }: JsonObject): Timing | string {
  if ((cron === undefined) === (everyMs === undefined)) return 'it must have either "cron" or "everyMs"';
  if (cron !== undefined) {
    if (typeof cron !== 'string' || cron.length > limits.cronCharactersMax) return 'its "cron" is no cron expression';
    return typeof timeZone === 'string' ? { kind: 'cron', cron, timeZone } : 'its "timeZone" is no text';
  }
  const { scheduleEveryMsMin: min, scheduleEveryMsMax: max } = limits;
  if (typeof everyMs !== 'number' || clamp(everyMs, min, max) !== everyMs) {
    return `its "everyMs" is no whole number from ${min} to ${max}`;
  }
  return { kind: 'interval', everyMs };
}

function ticksOf(timing: Timing, since: number): NextTick | string {
  if (timing.kind === 'interval') return intervalTicks(since, timing.everyMs);
  try {
    return cronTicks(timing.cron, timing.timeZone);
  } catch (error) {
    if (!(error instanceof CronFault)) throw error;
    return `its "${error.field}" ${error.message}`;
  }
}

/** The members of the task's own znode, but for those that say where one task came from and when it may start. */
function taskMembers(spec: TaskSpec): JsonObject {
  const origin = { submitId: null, submittedAt: 0, idempotencyKey: null, retryOf: null, batch: null, schedule: null };
  const members = parseObject(encodeTask({ ...spec, ...origin }).toString('utf8')) ?? {};
  const { v, submitId, submittedAt, runAt, ...rest } = members;
  return rest;
}

function readSpec(value: Json | undefined): TaskSpec | string {
  if (!isObject(value)) return 'its "task" is no object';
  const reading = decodeTask(encode({ ...value, v: 1 }), 0);
  if (reading.kind !== 'task')
    return `of its "task" ${reading.kind === 'invalid' ? reading.why : 'nothing can be read'}`;
  return { ...specOf(reading.record), runAt: null, after: [], afterFailure: 'fail' };
}

function specOf(record: TaskRecord): TaskSpec {
  const { submitId, submittedAt, idempotencyKey, retryOf, batch, schedule, ...spec } = record;
  return spec;
}

export function encodeTicks(state: TickState): Buffer {
  const { at, lastRunAt, lastTask, lastSkip, others, ...counts } = state;
  return encode({
    ...{ v: 1, ...others },
    at: toTimestamp(at),
    ...counts,
    lastRunAt: toTimestamp(lastRunAt),
    ...(lastTask !== null && { lastTask }),
    ...(lastSkip !== null && { lastSkip: { ...lastSkip, at: toTimestamp(lastSkip.at) } }),
  });
}

/** Of what cannot be read, no tick up to its last change is handled again. */
export function decodeTicks(data: Buffer, changedAt: number): TickState {
  const object = parseObject(data.toString('utf8')) ?? {};
  const { v: _, at, runs, skipped, missed, lastRunAt, lastTask, nextNumber, lastSkip, ...others } = object;
  return {
    at: fromTimestamp(at) ?? changedAt,
    runs: readCount(runs),
    skipped: readCount(skipped),
    missed: readCount(missed),
    lastRunAt: fromTimestamp(lastRunAt),
    lastTask: parseTaskId(readText(lastTask) ?? ''),
    nextNumber: readCount(nextNumber),
    lastSkip: readSkip(lastSkip),
    ...(Object.keys(others).length > 0 && { others }),
  };
}

function readCount(value: Json | undefined): number {
  return clamp(value, 0, Number.MAX_SAFE_INTEGER) ?? 0;
}

function readSkip(value: Json | undefined): TickState['lastSkip'] {
  const skip = isObject(value) ? value : {};
  const at = fromTimestamp(skip['at']);
  const why = skipReasons.find((known) => known === skip['why']);
  return at !== null && why ? { at, why } : null;
}
