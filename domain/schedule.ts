// The vocabulary of schedules: what makes a task again and again, and how far its ticks have come. A tick is a moment at
// which a schedule is due. Which moments those are follows from the definition alone (for an interval from its `since`), never
// from who leads when; a tick is handled once its state says so. Times are epoch ms. Pure.

import type { Json, TaskId, TaskSpec } from './task.ts';

/**
 * What a tick does while a task of the schedule is unfinished: nothing, make another one nevertheless, or make one in the
 * place of those.
 */
export const overlaps = ['skip', 'allow', 'replace'] as const;
export type Overlap = (typeof overlaps)[number];

export type Timing =
  | { readonly kind: 'cron'; readonly cron: string; readonly timeZone: string }
  | { readonly kind: 'interval'; readonly everyMs: number };

/** What a schedule is to do, with its defaults filled in. */
export interface ScheduleSpec {
  readonly timing: Timing;
  readonly task: TaskSpec;
  readonly overlap: Overlap;
  /** Of the ticks that were missed, so many of the newest are made up; one at most unless `overlap` is `allow`. */
  readonly catchUp: number;
  readonly paused: boolean;
}

/** A schedule as it is kept in `/schedules/<name>`. */
export interface ScheduleRecord extends ScheduleSpec {
  /** Ticks come after this: when the timing was last changed, or when it was last resumed. */
  readonly since: number;
}

/** Why a tick made no task. */
export const skipReasons = ['unfinished', 'too-many-unfinished', 'task-numbers-used-up'] as const;
export type SkipReason = (typeof skipReasons)[number];

/** How far a schedule has come, kept in `/schedules/<name>/ticks`; written in the transaction that makes the task. */
export interface TickState {
  /** The last tick that was handled: none up to it is looked at again. */
  readonly at: number;
  /** Ticks that made a task. */
  readonly runs: number;
  /** Ticks that made none, for the reason of `lastSkip`. */
  readonly skipped: number;
  /** Ticks that nobody handled in time, and that were not made up. */
  readonly missed: number;
  /** The last tick that made a task. */
  readonly lastRunAt: number | null;
  /** The task that it made, where that was known when this was written. */
  readonly lastTask: TaskId | null;
  /** The task made together with this state, if any, has no lower number. */
  readonly nextNumber: number;
  readonly lastSkip: { readonly at: number; readonly why: SkipReason } | null;
  /** Members that we do not know, from a newer version of us: they stay with it. */
  readonly others?: Readonly<Record<string, Json>>;
}

/** The first tick after `after`; null where there is none any more. */
export type NextTick = (after: number) => number | null;

/** since + k * everyMs: what is late does not make what follows late. */
export function intervalTicks(since: number, everyMs: number): NextTick {
  return (after) => since + (Math.max(0, Math.floor((after - since) / everyMs)) + 1) * everyMs;
}

/** Up to this moment no tick is looked at any more. */
export function handledUntil({ since }: Pick<ScheduleRecord, 'since'>, state: Pick<TickState, 'at'> | null): number {
  return state ? Math.max(since, state.at) : since;
}

/** When the schedule is due next, which is past where nobody has handled it yet; null: not as things stand. */
export function nextRunAt(record: ScheduleRecord, state: Pick<TickState, 'at'> | null, next: NextTick): number | null {
  return record.paused ? null : next(handledUntil(record, state));
}

export function isSameTiming(a: Timing, b: Timing): boolean {
  if (a.kind === 'cron') return b.kind === 'cron' && a.cron === b.cron && a.timeZone === b.timeZone;
  return b.kind === 'interval' && a.everyMs === b.everyMs;
}

/**
 * The record of a schedule that is to be `spec` from now on. Its ticks go on as they were unless their times change; those that
 * passed while it was paused are not made up.
 */
export function recordOfSchedule(spec: ScheduleSpec, before: ScheduleRecord | null, now: number): ScheduleRecord {
  const goesOn = before !== null && isSameTiming(before.timing, spec.timing) && (!before.paused || spec.paused);
  return { ...spec, since: goesOn ? before.since : now };
}

/** A definition as it was found. */
export interface KeptSchedule {
  /** Null where what is kept there cannot be read; `fault` says why. */
  readonly record: ScheduleRecord | null;
  readonly fault: string | null;
  /** A newer version of us wrote it: what we would leave out of it is not ours to lose. */
  readonly isNewer?: boolean;
}

/** A schedule as far as it is known without a master. */
export interface ScheduleSnapshot extends KeptSchedule {
  readonly name: string;
  readonly nextRunAt: number | null;
  /** Null before the first tick. */
  readonly state: TickState | null;
  /** The task that the last tick with one made, where that can be told; it is not looked for in lists. */
  readonly lastTask: TaskId | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}
