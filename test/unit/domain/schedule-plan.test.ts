// Goal: what a tick does follows from definition, state and time alone: no tick is handled twice, and none is lost but those
// that catch-up, overlap, a pause or a bound leaves out, which are counted. Method: a table of situations, and random lives in
// which leaders change, lag behind, have other clocks, and lose their answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../../domain/limits.ts';
import {
  intervalTicks,
  type NextTick,
  nextRunAt,
  recordOfSchedule,
  type ScheduleRecord,
  type TickState,
} from '../../../domain/schedule.ts';
import { planTick, type TickDecision, type TickSituation } from '../../../domain/schedule-plan.ts';
import type { TaskId } from '../../../domain/task.ts';
import { taskRecord } from '../../fault/task-record.ts';

const { submitId, submittedAt, idempotencyKey, retryOf, batch, schedule, ...task } = taskRecord();
const everySecond: ScheduleRecord = {
  ...{ timing: { kind: 'interval', everyMs: 1000 }, task, overlap: 'allow', catchUp: 1, paused: false },
  since: 0,
};

function stateAt(at: number, members: Partial<TickState> = {}): TickState {
  const counts = { runs: 0, skipped: 0, missed: 0, nextNumber: 0 };
  return { at, ...counts, lastRunAt: null, lastTask: null, lastSkip: null, ...members };
}

function plan(now: number, members: Partial<TickSituation> = {}): TickDecision | null {
  const { record = everySecond } = members;
  const everyMs = record.timing.kind === 'interval' ? record.timing.everyMs : 0;
  const rest = { state: null, unfinished: [], lastTask: null, nextNumber: 7 };
  return planTick({ record, next: intervalTicks(record.since, everyMs), now, ...rest, ...members });
}

const brief = (decision: TickDecision | null) =>
  decision && [decision.outcome, decision.at, decision.state.missed, decision.state.skipped];

test('the ticks of an interval are at since + k * everyMs, from wherever one looks', () => {
  const next = intervalTicks(500, 1000);
  assert.deepEqual([-9000, 0, 500, 501, 1499, 1500, 90_000].map(next), [1500, 1500, 1500, 1500, 1500, 2500, 90_500]);
});

test('nothing is made before its time, at it a task is', () => {
  assert.equal(plan(999), null);
  assert.deepEqual(plan(1000), {
    ...{ at: 1000, outcome: 'made', cancels: [] },
    state: stateAt(1000, { runs: 1, lastRunAt: 1000, nextNumber: 7 }),
  });
  assert.equal(plan(1999, { state: stateAt(1000) }), null);
});

test('the next run: after what was handled, past where nobody has handled it, none while paused', () => {
  const next = intervalTicks(0, 1000);
  assert.equal(nextRunAt(everySecond, null, next), 1000);
  assert.equal(nextRunAt(everySecond, stateAt(5000), next), 6000);
  assert.equal(nextRunAt({ ...everySecond, since: 7500 }, stateAt(5000), intervalTicks(7500, 1000)), 8500);
  assert.equal(nextRunAt({ ...everySecond, paused: true }, null, next), null);
  assert.equal(plan(60_000, { record: { ...everySecond, paused: true } }), null);
});

test('of the ticks that were missed the newest are made up, as many as may be', () => {
  // At 10.5 s the tick of 10 s is in time; those from 1 s to 9 s are late.
  const withCatchUp = (catchUp: number, overlap: ScheduleRecord['overlap'] = 'allow') => {
    const made: unknown[] = [];
    const record = { ...everySecond, catchUp, overlap };
    const situation = { record, unfinished: [] as TickSituation['unfinished'] };
    let state: TickState | null = null;
    for (let decision = plan(10_500, situation); decision; decision = plan(10_500, { ...situation, state })) {
      state = decision.state;
      if (decision.outcome !== 'made') continue;
      made.push(decision.at / 1000);
      situation.unfinished = [{ id: `task-${decision.at}` as TaskId, isCancelled: false }];
    }
    return [made, state?.missed, ...(overlap === 'allow' ? [] : [state?.skipped])];
  };
  assert.deepEqual(withCatchUp(0), [[10], 9]);
  assert.deepEqual(withCatchUp(1), [[9, 10], 8]);
  assert.deepEqual(withCatchUp(3), [[7, 8, 9, 10], 6]);
  assert.deepEqual(withCatchUp(100), [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0]);
  // Where one would be in the way of the next, or go for it, the newest alone; the one in time is skipped if that still runs.
  assert.deepEqual(withCatchUp(0, 'skip'), [[10], 9, 0]);
  for (const catchUp of [1, 3, 100]) {
    assert.deepEqual(withCatchUp(catchUp, 'skip'), [[9], 8, 1]);
    assert.deepEqual(withCatchUp(catchUp, 'replace'), [[9, 10], 8, 0]);
  }
  assert.deepEqual(
    brief(plan(10_500, { record: { ...everySecond, timing: { kind: 'interval', everyMs: 4000 }, catchUp: 0 } })),
    [...['missed', 8000, 2, 0]],
  );
});

test('after a very long time the newest are still found, and soon', () => {
  const year = 365 * 86_400_000;
  let asked = 0;
  const ticks = intervalTicks(0, 1000);
  const next: NextTick = (after) => {
    asked += 1;
    return ticks(after);
  };
  const interval = plan(year, { next, record: { ...everySecond, catchUp: 100 } });
  assert.deepEqual(brief(interval), ['made', year - 100_000, year / 1000 - 101, 0]);
  assert.ok(asked < 1000, `${asked}`);
  asked = 0;
  const timing = { kind: 'cron', cron: '* * * * * *', timeZone: 'UTC' } as const;
  const cron = plan(year, { next, record: { ...everySecond, timing, catchUp: 1 } });
  assert.deepEqual(brief(cron), ['made', year - 1000, limits.scheduleMissedCountMax, 0]);
  assert.ok(asked < 200, `${asked}`);
  assert.deepEqual(brief(plan(year, { next: (after) => (after < 5000 ? 5000 : null) })), ['made', 5000, 0, 0]);
});

test('while a task is unfinished: skipped, made all the same, or made in its place', () => {
  const unfinished = [
    { id: 'task-1' as TaskId, isCancelled: false },
    { id: 'task-2' as TaskId, isCancelled: true },
  ];
  const doing = (overlap: ScheduleRecord['overlap'], of = unfinished) =>
    plan(1000, { record: { ...everySecond, overlap }, unfinished: of, lastTask: 'task-2' as TaskId });
  const skipped = { skipped: 1, lastTask: 'task-2' as TaskId, nextNumber: 7 };
  assert.deepEqual(doing('skip')?.state, stateAt(1000, { ...skipped, lastSkip: { at: 1000, why: 'unfinished' } }));
  assert.deepEqual([doing('skip', [])?.outcome, doing('allow')?.outcome], ['made', 'made']);
  assert.deepEqual([doing('replace')?.outcome, doing('replace')?.cancels], ['made', ['task-1']]);
  assert.deepEqual(doing('allow')?.cancels, []);
});

test('no more than so many unfinished tasks, and none once the task numbers are used up', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ id: `task-${i}` as TaskId, isCancelled: false }));
  const max = limits.scheduleUnfinishedMax;
  assert.equal(plan(1000, { unfinished: many(max - 1) })?.outcome, 'made');
  assert.equal(plan(1000, { unfinished: many(max) })?.state.lastSkip?.why, 'too-many-unfinished');
  assert.equal(plan(1000, { nextNumber: limits.taskNumberMax - 1 })?.outcome, 'made');
  assert.equal(plan(1000, { nextNumber: limits.taskNumberMax })?.state.lastSkip?.why, 'task-numbers-used-up');
});

test('ticks go on as they were unless their times change or the schedule is resumed', () => {
  const { since: _, ...spec } = everySecond;
  const cron = { kind: 'cron', cron: '* * * * *', timeZone: 'UTC' } as const;
  const sinceOf = (change: Partial<ScheduleRecord>, before: Partial<ScheduleRecord> = {}) =>
    recordOfSchedule({ ...spec, ...change }, { ...everySecond, since: 5, ...before }, 99).since;
  assert.equal(recordOfSchedule(spec, null, 99).since, 99);
  assert.deepEqual([sinceOf({}), sinceOf({ catchUp: 3, overlap: 'skip' }), sinceOf({ paused: true })], [5, 5, 5]);
  assert.equal(sinceOf({ timing: { kind: 'interval', everyMs: 1001 } }), 99);
  assert.equal(sinceOf({ timing: cron }), 99);
  assert.equal(sinceOf({ timing: { ...cron, timeZone: 'GMT' } }, { timing: cron }), 99);
  assert.equal(sinceOf({ timing: cron }, { timing: cron }), 5);
  assert.deepEqual([sinceOf({ paused: true }, { paused: true }), sinceOf({}, { paused: true })], [5, 99]);
});

interface Look {
  readonly passMs: number;
  /** This leader's clock, less the true time. */
  readonly skewMs: number;
  /** What it decides from is so many commits old. */
  readonly lag: number;
}

test('whatever leaders, clocks and lags: no tick twice, and with enough catch-up none is lost', () => {
  const look = fc.record({
    passMs: fc.integer({ min: 0, max: 20_000 }),
    skewMs: fc.integer({ min: -3000, max: 3000 }),
    lag: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(
      fc.array(look, { minLength: 1, maxLength: 40 }),
      fc.constantFrom(1000, 1700, 7000),
      (looks, everyMs) => {
        const record: ScheduleRecord = { ...everySecond, timing: { kind: 'interval', everyMs }, catchUp: 100 };
        const { handled, until } = live(record, looks);
        const expected: number[] = [];
        for (let at = everyMs; at <= until; at += everyMs) expected.push(at);
        assert.deepEqual(handled, expected);
      },
    ),
  );
});

/** States in the order of their commits, each on the condition that the one before it is the one that was decided from. */
function live(record: ScheduleRecord, looks: readonly Look[]): { handled: number[]; until: number } {
  const commits: (TickState | null)[] = [null];
  const handled: number[] = [];
  let time = 0;
  for (const { passMs, skewMs, lag } of looks) {
    time += passMs;
    for (let rest = lag; ; rest = Math.max(0, rest - 1)) {
      const seen = Math.max(0, commits.length - 1 - rest);
      const decision = plan(time + skewMs, { record, state: commits[seen] ?? null });
      if (!decision && seen === commits.length - 1) break;
      if (!decision || seen < commits.length - 1) continue; // refused: it looks again
      commits.push(decision.state);
      handled.push(decision.at);
      assert.equal(decision.outcome, 'made');
    }
  }
  return { handled, until: commits.at(-1)?.at ?? 0 };
}

test('what was handled, was missed and is due makes up all ticks, whatever the catch-up', () => {
  const looks = fc.array(fc.integer({ min: 0, max: 15_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(looks, fc.integer({ min: 0, max: 5 }), fc.boolean(), (passes, catchUp, busy) => {
      const record: ScheduleRecord = { ...everySecond, overlap: 'skip', catchUp };
      const unfinished = busy ? [{ id: 'task-1' as TaskId, isCancelled: false }] : [];
      let state: TickState | null = null;
      let now = 0;
      for (const passMs of passes) {
        now += passMs;
        for (let last = -1; ; ) {
          const decision: TickDecision | null = plan(now, { record, state, unfinished });
          if (!decision) break;
          assert.ok(decision.at > last && decision.at <= now);
          last = decision.at;
          state = decision.state;
        }
        const { runs, skipped, missed, at }: TickState = state ?? stateAt(0);
        assert.equal(runs + skipped + missed, Math.floor(at / 1000));
        assert.ok(now - at < 1000 || at === 0);
        assert.equal(busy ? runs : skipped, 0);
      }
    }),
  );
});
