// Goal: the leader's clock for schedules decides from what it knows and not from what it has not read yet, looks again after an
// unknown outcome, and goes on where the task numbers are used up. Method: the real loop over an index and schedules that the test
// fills, and a ledger that notes what it is asked to commit.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CoordinationError } from '../../../coordination/coordination-error.ts';
import type { HandledTick, TickLedger } from '../../../coordination/tick-ledger.ts';
import { limits } from '../../../domain/limits.ts';
import { intervalTicks, type NextTick, type Overlap, type ScheduleRecord } from '../../../domain/schedule.ts';
import type { TickDecision } from '../../../domain/schedule-plan.ts';
import type { TaskId } from '../../../domain/task.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { createLog } from '../../../runtime/log.ts';
import type { Picture } from '../../../services/master/picture.ts';
import { ScheduleLoop } from '../../../services/master/schedule-loop.ts';
import type { ScheduleEntry, ScheduleMirror } from '../../../services/master/schedule-mirror.ts';
import { taskRecord } from '../../fault/task-record.ts';
import { eventually } from '../../support/eventually.ts';
import { status, taskFact, taskId } from '../domain/facts.ts';

const everyMs = 1000;
const { submitId, submittedAt, idempotencyKey, retryOf, batch, schedule, ...task } = taskRecord();

type Handle = (decision: TickDecision, ticksVersion: number | null) => Promise<HandledTick>;

/** A leader with one schedule `s`, whose first tick is due, and `others`, of which the test says when they are. */
function leading(
  t: TestContext,
  overlap: Overlap,
  handle: Handle,
  index = new TaskIndex(),
  others: readonly NextTick[] = [],
) {
  const since = Date.now() - everyMs - 100;
  const record: ScheduleRecord = {
    ...{ timing: { kind: 'interval', everyMs }, task, overlap, catchUp: 1, paused: false },
    since,
  };
  const entryOf = (name: string, next: NextTick): ScheduleEntry => ({
    name,
    definition: { kind: 'schedule', record, next, version: 3 },
    ...{ ticks: null, dueAt: 0, deferredUntil: 0, busy: false, lastTask: null },
  });
  const entry = entryOf('s', intervalTicks(since, everyMs));
  const entries = [...others.map((next, place) => entryOf(`other-${place}`, next)), entry];
  const sequence = { next: 7 };
  const schedules = {
    ...{ entries: new Map(entries.map((each) => [each.name, each])), synced: true, onChange: null },
    rootVersion: 5 as number | null,
  };
  const decisions: TickDecision[] = [];
  const seen: object[] = [];
  const catchUps: number[] = [];
  const ledger = {
    handle: ({ record: _, ...rest }: { record: object; ticksVersion: number | null }, decision: TickDecision) => {
      seen.push(rest);
      decisions.push(decision);
      return handle(decision, rest.ticksVersion);
    },
    catchUp: async () => void catchUps.push(decisions.length),
  };
  const outcomes: string[] = [];
  const over = new AbortController();
  const ended = new ScheduleLoop({
    picture: { index, synced: true, sequence, onChange: () => () => undefined } as unknown as Picture,
    schedules: schedules as unknown as ScheduleMirror,
    ledger: ledger as unknown as TickLedger,
    log: createLog('test', 'silent'),
    onTick: (outcome) => outcomes.push(outcome),
    onFenced: () => outcomes.push('fenced'),
  }).run(over.signal);
  t.after(async () => {
    over.abort();
    await ended;
  });
  return { entry, schedules, index, decisions, seen, outcomes, sequence, catchUps, since };
}

const makes = async (decision: TickDecision, ticksVersion: number | null): Promise<HandledTick> => ({
  ticksVersion: ticksVersion === null ? 0 : ticksVersion + 1,
  task: decision.outcome === 'made' ? taskId(7) : null,
});
const fromSchedule = { schedule: { name: 's', at: 1 } };

test('a tick that is due is committed at once, on the condition of what was seen', async (t) => {
  const { decisions, seen, outcomes, since, entry } = leading(t, 'allow', makes);
  await eventually('it is handled', () => outcomes.length === 1);
  assert.deepEqual(seen, [{ name: 's', version: 3, ticksVersion: null, rootVersion: 5 }]);
  assert.deepEqual([decisions[0]?.at, decisions[0]?.state.nextNumber], [since + everyMs, 7]);
  await eventually('so is the next', () => outcomes.length === 2);
  assert.ok(Date.now() >= since + 2 * everyMs);
  assert.deepEqual(seen[1], { name: 's', version: 3, ticksVersion: 0, rootVersion: 5 });
  assert.deepEqual([entry.lastTask, decisions[1]?.state.runs], [taskId(7), 2]);
});

test('what was there unread when it began to lead may be a task of the schedule', async (t) => {
  for (const [name, outcome] of [
    ['s', 'skipped'],
    ['other', 'made'],
  ] as const) {
    const index = new TaskIndex();
    index.setTask(taskId(1), 'unread');
    const { outcomes } = leading(t, 'skip', makes, index);
    const allowing = leading(t, 'allow', makes, index);
    await eventually('who does not mind has gone on', () => allowing.outcomes.length === 1);
    assert.deepEqual(outcomes, []);
    index.setTask(taskId(1), taskFact(1, { schedule: { name, at: 1 } }));
    await eventually('it is read', () => outcomes.length === 1);
    assert.deepEqual(outcomes, [outcome]);
  }
});

test('the task that it has just made counts though it has not been read, until it is final', async (t) => {
  const index = new TaskIndex();
  const { decisions, outcomes, entry } = leading(
    t,
    'skip',
    async (decision, version) => {
      if (decision.outcome === 'made') index.setTask(taskId(7), 'unread');
      return makes(decision, version);
    },
    index,
  );
  await eventually('the second tick is handled', () => outcomes.length === 2);
  assert.deepEqual(outcomes, ['made', 'skipped']);
  assert.deepEqual([decisions[1]?.state.lastTask, entry.lastTask], [taskId(7), taskId(7)]);
  index.setTask(taskId(7), taskFact(7, fromSchedule));
  index.setStatus(taskId(7), status());
  await eventually('the third is', () => outcomes.length === 3);
  assert.equal(outcomes[2], 'made');
});

test('in their place: those that are unfinished, but for those that end already', async (t) => {
  const index = new TaskIndex();
  for (const i of [1, 2, 3, 4]) index.setTask(taskId(i), taskFact(i, i === 4 ? {} : fromSchedule));
  index.setCancel(taskId(2), { reason: '' });
  index.setStatus(taskId(3), 'unread');
  const { decisions, outcomes } = leading(t, 'replace', makes, index);
  await eventually('it is handled', () => outcomes.length === 1);
  assert.deepEqual(decisions[0]?.cancels, [taskId(1)] as TaskId[]);
});

test('an unknown outcome is looked up behind a sync, and what is decided then has its own conditions', async (t) => {
  let isLost = true;
  const { outcomes, catchUps, seen, entry, since } = leading(t, 'allow', async (decision, version) => {
    if (!isLost) return makes(decision, version);
    isLost = false;
    await null; // the loop looks at its schedules as soon as it is begun
    // It was made, and the mirror shows that by the time that the sync is over.
    entry.ticks = { version: 0, state: decision.state, czxid: 9n };
    throw new CoordinationError('connection_lost', 'unknown', 'lost');
  });
  await eventually('the next tick is handled', () => outcomes.length === 1);
  assert.deepEqual([catchUps, seen.length], [[1], 2]);
  assert.deepEqual(seen[1], { name: 's', version: 3, ticksVersion: 0, rootVersion: 5 });
  assert.ok(Date.now() >= since + 2 * everyMs);
});

test('task numbers that are used up: ticks are skipped; where they begin anew, the schedule goes on', async (t) => {
  const { outcomes, decisions, sequence } = leading(t, 'allow', makes);
  await eventually('one tick is handled', () => outcomes.length === 1);
  sequence.next = limits.taskNumberMax;
  await eventually('another is', () => outcomes.length === 2);
  assert.equal(decisions[1]?.state.lastSkip?.why, 'task-numbers-used-up');
  sequence.next = 0;
  await eventually('the third is', () => outcomes.length === 3);
  assert.deepEqual(outcomes, ['made', 'skipped', 'made']);
});

test('a schedule that cannot be reckoned with makes nothing, and the others go on', async (t) => {
  const throws = () => {
    throw new TypeError('Invalid date');
  };
  let looks = 0;
  const throwsLater = (after: number) => (++looks > 1 ? throws() : after);
  const { outcomes, schedules } = leading(t, 'allow', makes, new TaskIndex(), [throws, throwsLater]);
  await eventually('two ticks of the good one are handled', () => outcomes.length === 2);
  assert.deepEqual(outcomes, ['made', 'made']);
  const kinds = [...schedules.entries.values()].map(({ definition }) => definition !== 'unread' && definition.kind);
  assert.deepEqual(kinds, ['unreadable', 'unreadable', 'schedule']);
});

test('a commit that fails in a way that nobody has thought of costs only its schedule', async (t) => {
  const { outcomes, entry, decisions } = leading(t, 'allow', async () => {
    throw new TypeError('odd');
  });
  await eventually('it is given up', () => entry.definition !== 'unread' && entry.definition.kind === 'unreadable');
  assert.deepEqual([outcomes, decisions.length], [[], 1]);
});

test('while /schedules is gone no tick is handled; once it is there again, they are', async (t) => {
  const { outcomes, schedules, seen, entry } = leading(t, 'allow', makes);
  await eventually('the first is handled', () => outcomes.length === 1);
  schedules.rootVersion = null;
  await eventually('the second is put off', () => entry.deferredUntil > 0);
  assert.equal(seen.length, 1);
  schedules.rootVersion = 0;
  await eventually('it is handled', () => outcomes.length === 2);
  assert.deepEqual(seen[1], { name: 's', version: 3, ticksVersion: 0, rootVersion: 0 });
});

test('many schedules that are late: the event loop is given back while they are handled', async (t) => {
  let turn = 0;
  const perTurn = new Map<number, number>();
  const turns = setInterval(() => {
    turn += 1;
  });
  t.after(() => clearInterval(turns));
  const slow: NextTick = (after) => {
    const until = performance.now() + 2;
    while (performance.now() < until);
    perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
    return after + 1_000_000_000_000;
  };
  const { outcomes } = leading(
    t,
    'allow',
    makes,
    new TaskIndex(),
    Array.from({ length: 60 }, () => slow),
  );
  await eventually('the last of them is handled', () => outcomes.length === 1);
  const looks = [...perTurn.values()];
  assert.equal(
    looks.reduce((sum, each) => sum + each, 0),
    60,
  );
  assert.ok(Math.max(...looks) <= 20, looks.join(', '));
});

test('another master has taken over: that is told', async (t) => {
  const { outcomes } = leading(t, 'allow', async () => {
    throw new CoordinationError('fenced', 'not applied', 'a guard');
  });
  await eventually('it is told', () => outcomes[0] === 'fenced');
});
