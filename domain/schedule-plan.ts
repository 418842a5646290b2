// What is to be done about a schedule at some moment: one tick at a time, from what its state says was handled last, so that
// whoever leads, and however often they change, no tick is handled twice and none is lost but those that its catch-up, its
// overlap or a bound leaves out, which are counted. Pure.

import { limits } from './limits.ts';
import { handledUntil, type NextTick, type ScheduleRecord, type SkipReason, type TickState } from './schedule.ts';
import type { TaskId } from './task.ts';

/** A task of a schedule that is not final. */
export interface UnfinishedTask {
  readonly id: TaskId;
  /** Somebody has asked for its end already. */
  readonly isCancelled: boolean;
}

export interface TickSituation {
  readonly record: ScheduleRecord;
  readonly state: TickState | null;
  readonly next: NextTick;
  readonly unfinished: readonly UnfinishedTask[];
  /** The last task that a tick of it made, where that is known. */
  readonly lastTask: TaskId | null;
  /** Of the next task; the sequence ends (limits.taskNumberMax). */
  readonly nextNumber: number;
  readonly now: number;
}

/** `at` was handled once `state` is written; all of it is one transaction. */
export interface TickDecision {
  readonly at: number;
  readonly state: TickState;
  /** `missed`: of the ticks up to `at` none is made up. */
  readonly outcome: 'made' | 'skipped' | 'missed';
  /** Tasks that this one takes the place of. */
  readonly cancels: readonly TaskId[];
}

const unhandled: Omit<TickState, 'at' | 'nextNumber'> = {
  runs: 0,
  skipped: 0,
  missed: 0,
  lastRunAt: null,
  lastTask: null,
  lastSkip: null,
};

/** Null: nothing is due. */
export function planTick(situation: TickSituation): TickDecision | null {
  const { record, state, next, now, nextNumber, lastTask } = situation;
  const due = record.paused ? null : dueTick(record, next, handledUntil(record, state), now);
  if (!due) return null;
  const { at, missed, isMade } = due;
  const before = state ?? unhandled;
  const base = { ...before, at, nextNumber, missed: before.missed + missed, lastTask };
  if (!isMade) return { at, state: base, outcome: 'missed', cancels: [] };
  const why = reasonToSkip(situation);
  if (why) {
    const skipped = { ...base, skipped: base.skipped + 1, lastSkip: { at, why } };
    return { at, state: skipped, outcome: 'skipped', cancels: [] };
  }
  const made = { ...base, runs: base.runs + 1, lastRunAt: at, lastTask: null };
  return { at, state: made, outcome: 'made', cancels: record.overlap === 'replace' ? replaced(situation) : [] };
}

/** Missed ticks come all at once. Where the task of one is in the way of the next, or goes for it, only the newest makes sense. */
function madeUpMax({ overlap, catchUp }: ScheduleRecord): number {
  return overlap === 'allow' ? catchUp : Math.min(1, catchUp);
}

function reasonToSkip({ record: { overlap }, unfinished, nextNumber }: TickSituation): SkipReason | null {
  if (nextNumber >= limits.taskNumberMax) return 'task-numbers-used-up';
  if (overlap === 'skip' && unfinished.length > 0) return 'unfinished';
  return unfinished.length >= limits.scheduleUnfinishedMax ? 'too-many-unfinished' : null;
}

function replaced({ unfinished }: TickSituation): TaskId[] {
  return unfinished.filter(({ isCancelled }) => !isCancelled).map(({ id }) => id);
}

interface DueTick {
  readonly at: number;
  /** Ticks up to `at` that are given up; of a cron expression counted up to {@link limits.scheduleMissedCountMax}. */
  readonly missed: number;
  readonly isMade: boolean;
}

/** The oldest of the ticks after `after` that is to be handled now. Late ones are missed, the newest of them are made up. */
function dueTick(record: ScheduleRecord, next: NextTick, after: number, now: number): DueTick | null {
  const [first, isMore] = ticksBetween(next, after, now, 1);
  const [at] = first;
  if (at === undefined) return null;
  const lateUntil = now - limits.tickLateMsMax;
  if (!isMore && at > lateUntil) return { at, missed: 0, isMade: true };
  const late = missedTicks(record, next, after, lateUntil);
  const [oldest] = late.madeUp;
  if (oldest !== undefined) return { at: oldest, missed: late.missed, isMade: true };
  const timely = next(Math.max(after, lateUntil));
  if (timely !== null && timely <= now) return { at: timely, missed: late.missed, isMade: true };
  return late.last === null ? null : { at: late.last, missed: late.missed, isMade: false };
}

/** Of the ticks after `after` until `until`: the newest, which are made up, how many more there are, and the last one. */
function missedTicks(record: ScheduleRecord, next: NextTick, after: number, until: number) {
  const max = madeUpMax(record);
  const [ticks, isMore] = ticksBetween(next, after, until, limits.scheduleMissedCountMax + max);
  const newest = isMore ? newestTicks(next, after, until, Math.max(1, max)) : ticks;
  const madeUp = max === 0 ? [] : newest.slice(-max);
  const last = newest.at(-1) ?? null;
  const all = (isMore && countByInterval(record, ticks[0] ?? null, last)) || ticks.length;
  return { madeUp, missed: all - madeUp.length, last };
}

/** Null for a cron expression: to ask it for each of its ticks would take too long. */
function countByInterval({ timing }: ScheduleRecord, first: number | null, last: number | null): number | null {
  return timing.kind === 'cron' || first === null || last === null ? null : (last - first) / timing.everyMs + 1;
}

/** At most `max` of them, the oldest first, and whether there are more. */
function ticksBetween(next: NextTick, after: number, until: number, max: number): [ticks: number[], isMore: boolean] {
  const ticks: number[] = [];
  for (let at = next(after); at !== null && at <= until; at = next(at)) {
    if (ticks.length === max) return [ticks, true];
    ticks.push(at);
  }
  return [ticks, false];
}

/** At least the newest `min`, the oldest first; after a year without a master nobody walks through every second of it. */
function newestTicks(next: NextTick, after: number, until: number, min: number): number[] {
  for (let span = 1000; ; span *= 2) {
    const from = Math.max(after, until - span);
    const [ticks] = ticksBetween(next, from, until, Infinity);
    if (ticks.length >= min || from === after) return ticks;
  }
}
