// Goal: what a master puts right and how it is recorded. Method: one example for each reason there is to settle something.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../domain/limits.ts';
import { planSettlement, type SettleDecision } from '../../../domain/settle.ts';
import type { TaskBrief } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import {
  addTask,
  addWorker,
  assignmentFact,
  attempt,
  entryOf,
  status,
  taskFact,
  taskId,
  workerFact,
  workerId,
} from './facts.ts';

const now = 10_000;
const id = taskId(1);

function settle(index: TaskIndex, at = now): SettleDecision | null {
  return planSettlement(index, entryOf(index, 1), at, 0.5);
}

/** The one kind of decision that most tests are about. */
function ended(index: TaskIndex, at = now): SettleDecision & { kind: 'end' } {
  const decision = settle(index, at);
  assert.equal(decision?.kind, 'end');
  return decision as SettleDecision & { kind: 'end' };
}

/** Task 1 assigned to a worker that has just gone. */
function lostRun(options: Partial<TaskBrief> = {}, attemptNumber: number | null = 1): TaskIndex {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w');
  addTask(index, 1, options);
  index.setAssignment(worker, id, assignmentFact({ attempt: attemptNumber }));
  index.setWorker(worker, null);
  return index;
}

test('nothing to settle: a task that waits, runs, or has ended', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w');
  addTask(index, 1);
  assert.equal(settle(index), null);
  index.setAssignment(worker, id, assignmentFact());
  assert.equal(settle(index), null);
  index.setAssignment(worker, id, null);
  index.setStatus(id, status());
  assert.equal(settle(index), null);
});

test('a lost worker: the attempt counts as lost and the task runs again at once', () => {
  const { attempt: record, status: final, assignment, forced, taskVersion } = ended(lostRun());
  assert.deepEqual([final, forced, taskVersion, assignment?.worker], [null, false, 0, 'w']);
  const { error, ...rest } = record ?? assert.fail();
  assert.equal(error?.code, 'worker_lost');
  assert.deepEqual(rest, {
    ...{ attempt: 1, worker: 'w', outcome: 'lost', startedAt: 1000 },
    ...{ finishedAt: now, retryAt: now },
  });
});

test('a lost worker and no attempt left: failed, worker_lost', () => {
  const { attempt: record, status: final } = ended(lostRun({ maxAttempts: 1 }));
  assert.deepEqual([record?.outcome, record?.retryAt], ['lost', null]);
  assert.deepEqual([final?.state, final?.error?.code, final?.worker], ['failed', 'worker_lost', 'w']);
});

test('a lost worker of a cancelled task: the attempt is lost and the task is cancelled, once the reason is known', () => {
  const index = lostRun();
  index.setCancel(id, 'unread');
  assert.equal(settle(index), null);
  index.setCancel(id, { reason: 'enough' });
  const { attempt: record, status: final } = ended(index);
  assert.deepEqual([record?.outcome, record?.retryAt], ['lost', null]);
  assert.deepEqual(
    [final?.state, final?.error, final?.attempt],
    ['cancelled', { code: 'cancelled', message: 'enough' }, 1],
  );
});

test('an assignment of a former life of its worker is lost, a later one is not', () => {
  const index = new TaskIndex();
  addTask(index, 1);
  index.setWorker(workerId('w'), workerFact({}, { czxid: 101n }));
  index.setAssignment(workerId('w'), id, assignmentFact({}, { czxid: 100n }));
  assert.equal(ended(index).attempt?.outcome, 'lost');
  index.setAssignment(workerId('w'), id, assignmentFact({}, { czxid: 102n }));
  index.settle(entryOf(index, 1), null);
  assert.equal(settle(index), null);
});

test('a worker that is not read yet is not taken for lost', () => {
  const index = lostRun();
  index.setWorker(workerId('w'), 'unread');
  assert.equal(settle(index), null);
});

test("an assignment without a number, a person's, takes the next one; one with a number that is taken, too", () => {
  for (const number of [null, 1]) {
    const index = lostRun({}, number);
    index.setAttempt(id, 1, attempt(1));
    assert.equal(ended(index).attempt?.attempt, 2);
  }
});

test('no task of ours: failed, invalid_task, also where it was given to nobody', () => {
  const index = new TaskIndex();
  const invalid = taskFact(1, {}, { content: { kind: 'invalid', why: 'no JSON' } });
  index.setTask(id, invalid);
  const { status: final, attempt: record } = ended(index);
  assert.deepEqual([final?.state, final?.error?.code, record], ['failed', 'invalid_task', null]);
  assert.match(final?.error?.message ?? '', /no JSON/);
  const assigned = new TaskIndex();
  assigned.setTask(id, invalid);
  assigned.setAssignment(workerId('ghost'), id, assignmentFact());
  const decision = ended(assigned);
  assert.deepEqual([decision.status?.error?.code, decision.assignment?.worker], ['invalid_task', 'ghost']);
});

test('a record of a newer version is left to whoever wrote it', () => {
  const index = new TaskIndex();
  index.setTask(id, taskFact(1, {}, { content: { kind: 'newer' } }));
  index.setCancel(id, { reason: 'no' });
  assert.equal(settle(index), null);
});

test('a cancelled task that does not run ends at once, whether it is ready or scheduled', () => {
  for (const runAt of [null, now + 1]) {
    const index = new TaskIndex();
    index.advance(now);
    addTask(index, 1, { runAt });
    index.setCancel(id, { reason: 'why not' });
    const { status: final } = ended(index);
    assert.deepEqual([final?.state, final?.error?.message, final?.attempt], ['cancelled', 'why not', 0]);
  }
});

test('a cancelled task that runs is withdrawn first, and taken away by force after the grace', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w');
  addTask(index, 1);
  index.setAssignment(worker, id, assignmentFact());
  index.setCancel(id, { reason: 'stop' });
  const mark = settle(index);
  assert.deepEqual([mark?.kind, mark?.kind === 'withdraw' && mark.reason], ['withdraw', 'cancelled']);
  assert.equal(settle(index), null); // its commit is under way
  index.setAssignment(worker, id, assignmentFact({ withdraw: 'cancelled' }, { version: 1 }));
  index.settle(entryOf(index, 1), null);
  assert.equal(index.nextReviewAt, limits.withdrawGraceMs);
  index.review(limits.withdrawGraceMs - 1);
  assert.equal(settle(index), null);
  index.review(limits.withdrawGraceMs);
  const { status: final, forced, assignment, attempt: record } = ended(index);
  assert.deepEqual([final?.state, forced, assignment?.fact.version, record], ['cancelled', true, 1, null]);
});

test('the grace counts anew for another assignment', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w');
  addTask(index, 1);
  index.setCancel(id, { reason: 'stop' });
  index.setAssignment(worker, id, assignmentFact({ withdraw: 'cancelled' }));
  index.review(limits.withdrawGraceMs);
  index.setAssignment(worker, id, assignmentFact({ withdraw: 'cancelled' }, { czxid: 200n })); // its end was not seen
  assert.equal(settle(index), null);
  index.review(2 * limits.withdrawGraceMs);
  assert.equal(ended(index).forced, true);
});

test('a leftover of a final task, and of one that was deleted, is removed', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w');
  addTask(index, 1);
  index.setAssignment(worker, id, assignmentFact());
  index.setStatus(id, status());
  assert.equal(settle(index)?.kind, 'release');
  index.settle(entryOf(index, 1), null);
  index.removeTask(id);
  assert.equal(settle(index)?.kind, 'release');
});

test('two assignments of one task: those of lost workers go, one after the other, and the living goes on', () => {
  const index = new TaskIndex();
  addTask(index, 1);
  index.setAssignment(addWorker(index, 'w'), id, assignmentFact());
  index.setAssignment(workerId('ghost'), id, assignmentFact({ attempt: null }));
  const decision = settle(index);
  assert.ok(decision?.kind === 'release' && decision.assignment.worker === 'ghost', 'it goes without an attempt');
  index.setAssignment(workerId('ghost'), id, null);
  index.settle(entryOf(index, 1), null);
  assert.equal(settle(index), null);
});

test('an attempt lost by a worker that registered anew in the same process is taken by force: it may still run', () => {
  const living = new TaskIndex();
  addTask(living, 1);
  const worker = addWorker(living, 'w');
  living.setAssignment(worker, id, assignmentFact({}, { czxid: 5n }));
  living.setWorker(worker, workerFact({}, { czxid: 9n }));
  assert.equal(ended(living).forced, true);
  assert.equal(ended(lostRun()).forced, false, 'one that is gone can write nothing more');
});
