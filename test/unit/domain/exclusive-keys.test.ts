// Goal: tasks of one exclusive key start one at a time and in the order of their creation, and hold up nothing else. Method:
// examples, planned as a leading master does, with a worker that has slots for all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateOf } from '../../../domain/entry-state.ts';
import { planAssignments } from '../../../domain/plan.ts';
import type { TaskBrief } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addTask, addWorker, assignmentFact, attempt, entryOf, status, taskFact, taskId, workerId } from './facts.ts';

const now = 10_000;
const key = { exclusiveKey: 'k' };
const worker = workerId('w');

/** Tasks 1, 2, ... with these, beside the key. */
function indexOf(...tasks: Partial<TaskBrief>[]): TaskIndex {
  const index = new TaskIndex();
  index.advance(now);
  addWorker(index, 'w', { concurrency: 100_000 });
  tasks.forEach((options, i) => {
    addTask(index, i + 1, { ...key, ...options });
  });
  return index;
}

/** Numbers of the tasks that are given to the worker now; their assignments are seen. */
function started(index: TaskIndex): number[] {
  return planAssignments(index, 1000).map(({ entry, task }) => {
    index.setAssignment(worker, task, assignmentFact());
    index.settle(entry, worker);
    return entry.position?.number ?? -1;
  });
}

/** The run is over, with an outcome. */
function end(index: TaskIndex, number: number): void {
  index.setStatus(taskId(number), status());
  index.setAssignment(worker, taskId(number), null);
}

test('one at a time and in the order of creation, whatever the priority; other keys and tasks without one pass', () => {
  const index = indexOf({}, { priority: 9 }, { exclusiveKey: null }, { queue: 'q', type: 'x' }, { exclusiveKey: 'l' });
  assert.deepEqual(started(index).sort(), [1, 3, 5]);
  assert.equal(index.precedence.keyTakenBy(entryOf(index, 4)), taskId(1));
  assert.deepEqual([index.phase(entryOf(index, 2)), stateOf(entryOf(index, 2), now)], ['in_line', 'queued']);
  end(index, 1);
  assert.equal(index.precedence.keyTakenBy(entryOf(index, 4)), taskId(2));
  assert.deepEqual(started(index), [2]);
  assert.deepEqual(started(index), []);
  end(index, 2);
  assert.equal(index.precedence.keyTakenBy(entryOf(index, 4)), null);
  assert.equal(index.precedence.keyPositionOf(entryOf(index, 4)), 0);
  assert.deepEqual(started(index), [4]);
});

test('the first in line holds it, whether it is scheduled, backs off, or waits for another task', () => {
  const later = indexOf({ runAt: now + 100 }, {});
  assert.deepEqual(started(later), []);
  later.advance(now + 100);
  assert.deepEqual(started(later), [1]);
  later.setAttempt(taskId(1), 1, attempt(1, { retryAt: now + 500 }));
  later.setAssignment(worker, taskId(1), null);
  assert.deepEqual(started(later), []);
  later.advance(now + 500);
  assert.deepEqual(started(later), [1]);
  const blocked = indexOf({ exclusiveKey: null }, { after: [taskId(1)] }, {});
  assert.deepEqual(started(blocked), [1]);
  end(blocked, 1);
  blocked.setUnblocked(taskId(2), now);
  assert.deepEqual(started(blocked), [2]);
});

test('a task that leaves the line, wherever it stands, lets the others move up', () => {
  const index = indexOf({ runAt: now + 100 }, {}, {}, {});
  index.setStatus(taskId(2), status({ state: 'cancelled' }));
  assert.deepEqual(started(index), []);
  index.removeTask(taskId(1));
  assert.deepEqual(started(index), [3]);
  index.setAssignment(worker, taskId(3), null); // handed back
  assert.deepEqual(started(index), [3]);
});

test('the key stays taken until the run is over, also when its task has ended or is gone', () => {
  const index = indexOf({}, {}, {});
  assert.deepEqual(started(index), [1]);
  index.setStatus(taskId(1), status());
  assert.deepEqual(started(index), []);
  index.setStatus(taskId(1), null);
  index.removeTask(taskId(1));
  assert.deepEqual(started(index), []);
  assert.equal(index.precedence.keyTakenBy(entryOf(index, 2)), taskId(1));
  index.setAssignment(worker, taskId(1), null);
  assert.deepEqual(started(index), [2]);
});

test('a decision that is not committed yet has the key, and gives it back where it is refused', () => {
  const index = indexOf({}, {});
  const [decision] = planAssignments(index, 9);
  assert.deepEqual(started(index), []);
  assert.ok(decision);
  index.settle(decision.entry, worker, 20); // refused: it keeps its turn
  assert.deepEqual(started(index), []);
  index.review(20);
  assert.deepEqual(started(index), [1]);
});

test('an assignment made by hand out of turn has the key as well', () => {
  const index = indexOf({}, {});
  index.setAssignment(worker, taskId(2), 'unread');
  assert.deepEqual([started(index), index.precedence.keyTakenBy(entryOf(index, 1))], [[], taskId(2)]);
  end(index, 2);
  assert.deepEqual(started(index), [1]);
});

test('while a task that may have the key has not been read, nobody takes it; one that may not be read is waited for by nobody', () => {
  const index = indexOf();
  for (const number of [2, 7]) index.setTask(taskId(number), 'unread');
  addTask(index, 4, key);
  addTask(index, 5, { exclusiveKey: null });
  assert.deepEqual(started(index), [5], 'task 2 may be before it in line');
  index.setForbidden(taskId(2));
  assert.deepEqual(started(index), [4], 'task 7 is after it');
  const assigned = indexOf({});
  assigned.setTask(taskId(7), 'unread');
  assigned.setAssignment(worker, taskId(7), 'unread');
  assert.deepEqual(started(assigned), [], 'it may have any key');
  assigned.setTask(taskId(7), taskFact(7, { exclusiveKey: 'l' }));
  assert.deepEqual(started(assigned), [1]);
});

test('who waits for a retry steps aside, and so does who comes after it: the retry runs with the same key', () => {
  const index = indexOf({}, { after: [taskId(1)], afterFailure: 'wait' }, { after: [taskId(2)] }, {});
  assert.deepEqual(started(index), [1]);
  index.setStatus(taskId(1), status({ state: 'failed' }));
  index.setAssignment(worker, taskId(1), null);
  addTask(index, 5, { ...key, retryOf: taskId(1) });
  assert.deepEqual(started(index), [4]);
  end(index, 4);
  assert.deepEqual(started(index), [5]);
  end(index, 5);
  index.setUnblocked(taskId(2), now);
  assert.deepEqual(started(index), [2], 'it is in line again');
});

test('a line of 10,000 costs little for each that goes, and leaves nothing behind', () => {
  const count = 10_000;
  const index = indexOf();
  for (let number = 1; number <= count; number += 1) addTask(index, number, key);
  let looks = 0;
  const { enqueue } = index.ready;
  index.ready.enqueue = (...args) => {
    looks += 1;
    enqueue.apply(index.ready, args);
  };
  for (let number = 1; number <= count; number += 1) {
    assert.deepEqual(started(index), [number]);
    end(index, number);
  }
  assert.ok(looks <= 2 * count, `${looks} times a task was found ready`);
  for (const { id } of [...index.tasks.values()]) index.removeTask(id);
  assert.equal(index.tasks.size, 0);
});
