// Goal: a task goes when those that it comes after let it, ends when they do not, and waits while that is not certain.
// Method: one example for each thing that can become of them, asked through the phase and the decision of the master.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planAssignments } from '../../../domain/plan.ts';
import { planSettlement, type SettleDecision } from '../../../domain/settle.ts';
import type { AfterFailure, FinalState } from '../../../domain/task.ts';
import { afterFailures } from '../../../domain/task.ts';
import type { TaskBrief } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addTask, addWorker, assignmentFact, entryOf, status, taskFact, taskId } from './facts.ts';

const now = 10_000;

function settle(index: TaskIndex, number: number): SettleDecision | null {
  return planSettlement(index, entryOf(index, number), now, 0.5);
}

/** What becomes of the task: `waits`, `goes`, or the message that it fails with. */
function fateOf(index: TaskIndex, number: number): string {
  const decision = settle(index, number);
  if (!decision) return 'waits';
  index.settle(entryOf(index, number), null);
  if (decision.kind === 'unblock') return 'goes';
  assert.ok(decision.kind === 'end' && decision.status?.state === 'failed', decision.kind);
  const { error } = decision.status;
  assert.equal(error?.code, 'dependency_failed');
  return error.message;
}

function end(index: TaskIndex, number: number, state: FinalState = 'succeeded'): void {
  index.setStatus(taskId(number), status({ state }));
}

/** Task 9 comes after these. */
function follower(after: readonly number[], options: Partial<TaskBrief> = {}): TaskIndex {
  const index = new TaskIndex();
  index.advance(now);
  for (const number of after) if (number < 9) addTask(index, number);
  addTask(index, 9, { after: after.map(taskId), ...options });
  return index;
}

test('it is let go when the last of those that it comes after has succeeded, and runs then', () => {
  const index = follower([1, 2]);
  addWorker(index, 'w', { concurrency: 9 });
  const planned = () => planAssignments(index, 9).map(({ entry }) => entry.id);
  assert.deepEqual(planned(), [taskId(1), taskId(2)]);
  end(index, 2);
  assert.equal(fateOf(index, 9), 'waits');
  assert.deepEqual(index.precedence.unmetOf(entryOf(index, 9)), [{ task: taskId(1), waitsFor: 'end', retry: null }]);
  end(index, 1);
  assert.deepEqual(index.precedence.unmetOf(entryOf(index, 9)), []);
  const decision = settle(index, 9);
  assert.deepEqual([decision?.kind, decision?.kind === 'unblock' && decision.taskVersion], ['unblock', 0]);
  assert.deepEqual(planned(), [], 'not before that is committed');
  index.setUnblocked(taskId(9), 'unread');
  index.settle(entryOf(index, 9), null);
  assert.deepEqual([planned(), index.phase(entryOf(index, 9))], [[], 'unclear']);
  index.setUnblocked(taskId(9), now);
  assert.deepEqual(planned(), [taskId(9)]);
});

test('one that did not succeed: the task fails and says so, runs, or waits for a retry', () => {
  const fates = (state: FinalState) =>
    afterFailures.map((afterFailure) => {
      const index = follower([1, 2], { afterFailure });
      end(index, 1, state);
      const first = fateOf(index, 9);
      end(index, 2);
      return [first, fateOf(index, 9)];
    });
  const failed = `it comes after ${taskId(1)}, which failed`;
  assert.deepEqual(fates('failed'), [
    [failed, failed],
    ['waits', 'goes'],
    ['waits', 'waits'],
  ]);
  assert.match(fates('cancelled')[0]?.[0] ?? '', /which was cancelled$/);
});

test('that waits for a retry is let go by one that succeeds, however often it was run again', () => {
  const index = follower([1], { afterFailure: 'wait' });
  end(index, 1, 'failed');
  assert.deepEqual(index.precedence.unmetOf(entryOf(index, 9)), [{ task: taskId(1), waitsFor: 'retry', retry: null }]);
  addTask(index, 10, { retryOf: taskId(1) });
  addTask(index, 11, { retryOf: taskId(1) });
  for (const number of [10, 11]) end(index, number, 'failed');
  addTask(index, 12, { retryOf: taskId(11) });
  assert.equal(fateOf(index, 9), 'waits');
  end(index, 12);
  assert.equal(fateOf(index, 9), 'goes');
});

test('one that is gone did not succeed; it is waited for as long as a retry of it is kept or may be', () => {
  const fate = (afterFailure: AfterFailure) => {
    const index = follower([1, 2], { afterFailure });
    end(index, 1);
    index.removeTask(taskId(1));
    return fateOf(index, 9);
  };
  const gone = `it comes after ${taskId(1)}, which is gone`;
  assert.deepEqual(afterFailures.map(fate), [gone, 'waits', gone]);
  const index = follower([1], { afterFailure: 'wait' });
  end(index, 1, 'failed');
  index.setTask(taskId(10), 'unread');
  index.removeTask(taskId(1));
  assert.equal(fateOf(index, 9), 'waits', 'the one that is not read yet may be a retry');
  index.setTask(taskId(10), taskFact(10, { retryOf: taskId(1) }));
  assert.equal(fateOf(index, 9), 'waits');
  index.removeTask(taskId(10));
  assert.equal(fateOf(index, 9), gone);
});

test('what has not been read is not absent, nor what may not be read', () => {
  const index = follower([]);
  index.setTask(taskId(1), 'unread');
  addTask(index, 9, { after: [taskId(1)] });
  assert.equal(fateOf(index, 9), 'waits');
  index.setForbidden(taskId(1));
  assert.equal(fateOf(index, 9), 'waits');
  index.setStatus(taskId(1), 'unread');
  assert.equal(fateOf(index, 9), 'waits');
  end(index, 1);
  assert.equal(fateOf(index, 9), 'goes', 'its status could be read');
});

test('a task and the one before it arrive in any order; nothing is concluded but from what there is in the end', () => {
  const index = follower([]);
  addTask(index, 9, { after: [taskId(1)] }); // the picture is not complete yet: nobody decides
  addTask(index, 1);
  assert.deepEqual([...index.unsettled], []);
  end(index, 1);
  index.setStatus(taskId(1), null); // its removal begins
  assert.equal(fateOf(index, 9), 'waits');
  index.removeTask(taskId(1));
  assert.match(fateOf(index, 9), /is gone/);
});

test('one that a person lets come after itself, or after one that is not there yet, waits and holds up nobody', () => {
  const index = follower([9, 8, 77, 1]);
  for (const number of [1, 8]) end(index, number);
  assert.equal(fateOf(index, 9), 'waits');
  const unmet = index.precedence.unmetOf(entryOf(index, 9));
  assert.deepEqual(unmet, [
    { task: taskId(9), waitsFor: 'end', retry: null },
    { task: taskId(77), waitsFor: 'creation', retry: null },
  ]);
  addTask(index, 77, { after: [taskId(9)] });
  assert.deepEqual([fateOf(index, 77), fateOf(index, 9)], ['waits', 'waits']);
  end(index, 77);
  index.setUnblocked(taskId(9), now); // and by a person it is let go
  assert.equal(index.phase(entryOf(index, 9)), 'ready');
});

test('a task that is let go by hand runs, whatever becomes of those that it comes after', () => {
  const index = follower([1]);
  index.setUnblocked(taskId(9), now);
  assert.equal(index.phase(entryOf(index, 9)), 'ready');
  end(index, 1, 'failed');
  assert.equal(index.phase(entryOf(index, 9)), 'ready');
  assert.deepEqual(index.precedence.unmetOf(entryOf(index, 9)), []);
});

test('a cancel comes first, and a task that is assigned by hand while it waits is left to its worker', () => {
  const index = follower([1]);
  end(index, 1, 'failed');
  index.setCancel(taskId(9), { reason: 'enough' });
  const decision = settle(index, 9);
  assert.ok(decision?.kind === 'end' && decision.status?.state === 'cancelled');
  const assigned = follower([1]);
  assigned.setAssignment(addWorker(assigned, 'w'), taskId(9), assignmentFact());
  end(assigned, 1, 'failed');
  assert.equal(assigned.phase(entryOf(assigned, 9)), 'running');
});

test('one that succeeded lets go of a task that waits for its time all the same', () => {
  const index = follower([1], { runAt: now + 500 });
  end(index, 1);
  assert.equal(fateOf(index, 9), 'goes');
  index.setUnblocked(taskId(9), now);
  assert.equal(index.phase(entryOf(index, 9)), 'scheduled');
  index.advance(now + 500);
  assert.equal(index.phase(entryOf(index, 9)), 'ready');
});

test('a chain of 10,000 fails link by link, and a task with as many after it lets all of them go', () => {
  const index = new TaskIndex();
  const count = 10_000;
  addTask(index, 0);
  for (let i = 1; i < count; i += 1) addTask(index, i, { after: [taskId(i - 1)] });
  end(index, 0, 'failed');
  let ended = 1;
  for (const id of index.unsettled) {
    const entry = index.tasks.get(id);
    const decision = entry && planSettlement(index, entry, now, 0);
    assert.ok(entry && decision?.kind === 'end' && decision.status);
    index.setStatus(id, decision.status);
    index.settle(entry, null);
    ended += 1;
  }
  assert.equal(ended, count);
  for (let i = 0; i < count; i += 1) addTask(index, count + 1 + i, { after: [taskId(count - 1)], afterFailure: 'run' });
  assert.equal(index.unsettled.size, count);
});

test('a retry is kept for those that wait for what it runs again, however it is learned of', () => {
  const index = follower([1], { afterFailure: 'wait' });
  end(index, 1, 'failed');
  addTask(index, 11, { retryOf: taskId(10) });
  end(index, 11, 'failed');
  const mayGo = () => index.finished.has(entryOf(index, 11));
  assert.equal(mayGo(), true);
  addTask(index, 10, { retryOf: taskId(1) });
  assert.equal(mayGo(), false);
  index.removeTask(taskId(10));
  assert.equal(mayGo(), false, 'the one between is gone, and was a retry all the same');
  index.setCancel(taskId(9), { reason: 'enough' });
  end(index, 9, 'cancelled');
  assert.equal(mayGo(), true);
});

test('a row of retries loses its middle, and its beginning: the last one counts as before', () => {
  const index = follower([1], { afterFailure: 'wait' });
  end(index, 1, 'failed');
  for (const number of [10, 11, 12]) {
    addTask(index, number, { retryOf: taskId(number === 10 ? 1 : number - 1) });
    if (number < 12) end(index, number, 'failed');
  }
  for (const number of [10, 11, 1]) index.removeTask(taskId(number));
  assert.equal(fateOf(index, 9), 'waits');
  assert.equal(index.precedence.isAwaited(entryOf(index, 12)), true);
  end(index, 12);
  assert.equal(fateOf(index, 9), 'goes');
});

test('one that was let go and has ended is no follower again while it is removed', () => {
  const index = follower([1]);
  end(index, 1);
  index.setUnblocked(taskId(9), now);
  end(index, 9);
  index.setStatus(taskId(9), null);
  index.setUnblocked(taskId(9), null);
  assert.equal(index.finished.has(entryOf(index, 1)), true);
  assert.equal(index.precedence.verdictOf(entryOf(index, 9)), null);
  index.review(20); // it was not removed after all
  assert.equal(fateOf(index, 9), 'goes');
});

test('names of tasks that are gone are forgotten, however long a row of retries grows', () => {
  const index = new TaskIndex();
  addTask(index, 0);
  for (let number = 1; number < 1000; number += 1) {
    addTask(index, number, { retryOf: taskId(number - 1) });
    end(index, number - 1, 'failed');
    if (number > 4) index.removeTask(taskId(number - 5));
  }
  assert.ok(index.precedence.names < 10, `${index.precedence.names} names`);
  for (const { id } of [...index.tasks.values()]) index.removeTask(id);
  assert.equal(index.precedence.names, 0);
});

test('what is waited for is kept, also what runs it again, and goes when it is waited for no more', () => {
  const index = follower([1], { afterFailure: 'wait' });
  addTask(index, 2);
  for (const number of [1, 2]) end(index, number, 'failed');
  const kept = () => [...index.finished].map(({ id }) => id).sort();
  assert.deepEqual(kept(), [taskId(2)]);
  addTask(index, 10, { retryOf: taskId(1) });
  addTask(index, 11, { retryOf: taskId(10) });
  for (const number of [11, 10]) end(index, number, number === 11 ? 'succeeded' : 'failed');
  assert.deepEqual(kept(), [taskId(2)]);
  const joined: string[] = [];
  index.onFinished = ({ id }) => joined.push(id);
  index.setUnblocked(taskId(9), 'unread');
  assert.deepEqual(kept(), [1, 2, 10, 11].map(taskId));
  assert.deepEqual(joined.sort(), [1, 10, 11].map(taskId));
  addTask(index, 12, { after: [taskId(10)] });
  assert.deepEqual(kept(), [1, 2].map(taskId), 'a new one comes after it');
  index.removeTask(taskId(12));
  assert.deepEqual(kept(), [1, 2, 10, 11].map(taskId));
  for (const { id } of [...index.tasks.values()]) index.removeTask(id);
  assert.deepEqual([index.tasks.size, index.finished.size], [0, 0]);
});
