// Goal: a task that has passed its deadline ends wherever it stands, and a worker that keeps a run beyond its timeout loses it,
// whatever happens to clocks and masters meanwhile. Method: an index that is told facts and times, one step after the other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../domain/limits.ts';
import { planAssignments } from '../../../domain/plan.ts';
import { planSettlement, type SettleDecision } from '../../../domain/settle.ts';
import type { AssignmentRecord } from '../../../domain/task.ts';
import type { TaskBrief } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addTask, addWorker, assignmentFact, attempt, entryOf, status, taskId, workerId } from './facts.ts';

const id = taskId(1);
const hour = 3_600_000;
/** Of the wall clock when the index is made; its uptime is 0 then. */
const start = 1_000_000_000;
const deadlineAt = start + 5000;
const { timeoutGraceMs, withdrawGraceMs } = limits;

function settle(index: TaskIndex): SettleDecision | null {
  return planSettlement(index, entryOf(index, 1), index.clocks.now, 0.5);
}

/** The kind and, of an end, what it leaves. */
function told(index: TaskIndex): unknown[] {
  const decision = settle(index);
  if (decision?.kind === 'withdraw') return ['withdraw', decision.reason];
  if (decision?.kind !== 'end') return [decision];
  const { status: final, attempt: record, forced } = decision;
  return [final?.state ?? null, final?.error?.code ?? null, record?.outcome ?? null, forced];
}

function waiting(options: Partial<TaskBrief> = {}): TaskIndex {
  const index = new TaskIndex();
  index.advance(start);
  addTask(index, 1, { deadlineAt, ...options });
  return index;
}

/** Task 1 begun just now by worker `w`, whose first attempt may take a second. */
function running(options: Partial<TaskBrief> = {}, record: Partial<AssignmentRecord> = {}): TaskIndex {
  const index = new TaskIndex();
  index.advance(start);
  addTask(index, 1, { timeoutMs: 1000, ...options });
  assign(index, record);
  return index;
}

function assign(index: TaskIndex, record: Partial<AssignmentRecord> = {}, czxid = 100n): void {
  const worker = addWorker(index, 'w');
  index.setAssignment(worker, id, assignmentFact({ startedAt: start, ...record }, { czxid, createdAt: start }));
}

/** As the worker, and its master's successors, see it once the commit is done. */
function mark(index: TaskIndex, withdraw: AssignmentRecord['withdraw']): void {
  assign(index, { withdraw });
  index.settle(entryOf(index, 1), null);
}

/** Both clocks go on evenly. */
function pass(index: TaskIndex, ms: number): void {
  index.advance(start + ms);
  index.review(ms);
}

const waits: Record<string, (index: TaskIndex) => void> = {
  queued: () => undefined,
  'waiting for its time': (index) => addTask(index, 1, { deadlineAt, runAt: start + hour }),
  'waiting for other tasks': (index) => {
    addTask(index, 0, { type: 'nobody-has-it', runAt: start + hour });
    addTask(index, 1, { deadlineAt, after: [taskId(0)] });
  },
  'between two attempts': (index) => index.setAttempt(id, 1, attempt(1, { retryAt: start + hour })),
  'handed back again and again': (index) => {
    for (let times = 0; times < 10; times += 1) {
      assign(index);
      index.setAssignment(workerId('w'), id, null);
    }
    index.setWorker(workerId('w'), null);
    assert.ok(entryOf(index, 1).pausedUntil > deadlineAt - start);
  },
};

for (const [where, make] of Object.entries(waits)) {
  test(`a task that is ${where} expires at its deadline, and is looked at then by itself`, () => {
    const index = waiting();
    make(index);
    index.advance(deadlineAt - 1);
    assert.equal(settle(index), null);
    assert.equal(index.nextAlarmAt, deadlineAt);
    index.advance(deadlineAt);
    assert.ok(index.unsettled.has(id));
    addWorker(index, 'free');
    assert.deepEqual(planAssignments(index, 1), [], 'it is given to nobody any more');
    assert.deepEqual(told(index), ['failed', 'expired', null, false]);
  });
}

test('a task whose time comes before its deadline is queued first; one alarm follows the other', () => {
  const index = waiting({ runAt: start + 1000 });
  assert.equal(index.nextAlarmAt, start + 1000);
  index.advance(start + 1000);
  assert.equal(index.phase(entryOf(index, 1)), 'ready');
  assert.equal(index.nextAlarmAt, deadlineAt);
});

test('a task that is to be cancelled is cancelled, also past its deadline', () => {
  const index = waiting();
  index.setCancel(id, { reason: 'enough' });
  index.advance(deadlineAt);
  assert.deepEqual(told(index), ['cancelled', 'cancelled', null, false]);
});

test('one that has ended stays as it is', () => {
  const index = waiting();
  index.setStatus(id, status());
  index.advance(deadlineAt);
  assert.equal(settle(index), null);
  assert.equal(index.phase(entryOf(index, 1)), 'final');
});

test('a run is marked at the deadline, and taken by force after the grace: an attempt that no other follows', () => {
  const index = running({ deadlineAt, timeoutMs: hour });
  pass(index, 4999);
  assert.equal(settle(index), null);
  pass(index, 5000);
  assert.deepEqual(told(index), ['withdraw', 'expired']);
  mark(index, 'expired');
  pass(index, 5000 + withdrawGraceMs - 1);
  assert.equal(settle(index), null);
  pass(index, 5000 + withdrawGraceMs);
  assert.deepEqual(told(index), ['failed', 'expired', 'timed_out', true]);
});

test('a run is marked when its timeout is over by the grace; by force it is an attempt that timed out', () => {
  const late = 1000 + timeoutGraceMs;
  const index = running();
  pass(index, late - 1);
  assert.equal(settle(index), null);
  assert.equal(index.nextReviewAt, late);
  pass(index, late);
  assert.deepEqual(told(index), ['withdraw', 'timed_out']);
  mark(index, 'timed_out');
  pass(index, late + withdrawGraceMs);
  const decision = settle(index);
  assert.ok(decision?.kind === 'end' && decision.attempt);
  const { status: final, forced, attempt: record, assignment } = decision;
  assert.deepEqual([final, forced, assignment?.worker, record.outcome], [null, true, 'w', 'timed_out']);
  assert.equal(record.retryAt, start + late + withdrawGraceMs + 1000);
  assert.match(record.error?.message ?? '', /timeout of 1000 ms, and worker w did not end it/);
  const last = running({ maxAttempts: 1 }, { withdraw: 'timed_out' });
  pass(last, withdrawGraceMs);
  assert.deepEqual(told(last), ['failed', 'timeout', 'timed_out', true]);
});

test('an assignment with empty data counts from when it was created', () => {
  const index = running({}, { attempt: null, startedAt: null });
  pass(index, 1000 + timeoutGraceMs - 1);
  assert.equal(settle(index), null);
  pass(index, 1000 + timeoutGraceMs);
  assert.deepEqual(told(index), ['withdraw', 'timed_out']);
});

test('a clock that is set ends no run: how long one takes is told by what passes', () => {
  for (const set of [hour, -hour]) {
    const index = running();
    index.advance(start + set);
    index.review(10);
    assert.equal(settle(index), null);
    index.review(1000 + timeoutGraceMs);
    assert.deepEqual(told(index), ['withdraw', 'timed_out']);
    mark(index, 'timed_out');
    index.advance(start);
    assert.equal(settle(index), null);
    index.review(1000 + timeoutGraceMs + withdrawGraceMs);
    assert.deepEqual(told(index).at(-1), true);
  }
});

test('a master that comes later knows by the clock how long a run has taken, but not from the future', () => {
  const late = (startedAt: number) => {
    const index = new TaskIndex();
    index.beginLoading();
    index.advance(start);
    addTask(index, 1, { timeoutMs: 60_000 });
    assign(index, { startedAt });
    index.endLoading();
    return index.nextReviewAt;
  };
  assert.equal(late(start - 50_000), 10_000 + timeoutGraceMs);
  assert.equal(late(start + hour), 60_000 + timeoutGraceMs);
});

test('a standby that has seen a run begin takes it for no older than that, whatever its own clock says', () => {
  for (const startedAt of [start - hour, start + hour]) {
    assert.equal(running({ timeoutMs: 60_000 }, { startedAt }).nextReviewAt, 60_000 + timeoutGraceMs);
  }
});

test('a mark that is there already is not made again, whoever made it, and stands', () => {
  for (const reason of ['cancelled', 'expired', 'timed_out'] as const) {
    const index = running({ timeoutMs: hour, maxAttempts: 1 }, { withdraw: reason });
    assert.equal(settle(index), null);
    pass(index, withdrawGraceMs - 1);
    assign(index, { withdraw: reason, progress: { percent: 50, message: null } });
    assert.equal(settle(index), null, 'its progress gives it no more time');
    pass(index, withdrawGraceMs);
    const code = { cancelled: 'cancelled', expired: 'expired', timed_out: 'timeout' }[reason];
    assert.equal(told(index).at(1), code);
  }
});

test('a run that is taken by force is recorded under a number that no record has yet', () => {
  const index = running({}, { withdraw: 'timed_out' });
  index.setAttempt(id, 1, attempt(1));
  pass(index, withdrawGraceMs);
  const decision = settle(index);
  assert.deepEqual(decision?.kind === 'end' && decision.attempt?.attempt, 2);
});

test('a cancel that comes while a run is taken back for its timeout has the last word', () => {
  const index = running({}, { withdraw: 'timed_out' });
  index.setCancel(id, { reason: 'enough' });
  pass(index, withdrawGraceMs);
  assert.deepEqual(told(index), ['cancelled', 'cancelled', null, true]);
});

test('runs that end in time leave nothing to be looked at', () => {
  const index = running();
  index.setAssignment(workerId('w'), id, null);
  assert.equal(index.nextReviewAt, null);
});
