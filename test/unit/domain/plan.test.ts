// Goal: the planner gives each ready task to the right worker, best task first. Method: small indexes built from facts, one
// rule each.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planAssignments } from '../../../domain/plan.ts';
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

/** `number>worker` for each decision, in order. */
function planned(index: TaskIndex, max = 100): string[] {
  return planAssignments(index, max).map(({ task, worker }) => `${Number(task.slice(5))}>${worker}`);
}

test('higher priority first, then the order of creation: transaction, then number in it', () => {
  const index = new TaskIndex();
  index.setTask(taskId(7), taskFact(7, {}, { czxid: 5n }));
  index.setTask(taskId(3), taskFact(3, {}, { czxid: 6n }));
  index.setTask(taskId(6), taskFact(6, {}, { czxid: 5n }));
  addTask(index, 9, { priority: 1 });
  addTask(index, 1, { priority: -1 });
  addWorker(index, 'w', { concurrency: 10 });
  assert.deepEqual(planned(index), ['9>w', '6>w', '7>w', '3>w', '1>w']);
});

test('a queue and a type do not matter to the order among what one worker can run', () => {
  const index = new TaskIndex();
  for (const [number, queue, type] of [
    [1, 'a', 'x'],
    [2, 'b', 'y'],
    [3, 'a', 'y'],
    [4, 'b', 'x'],
  ] as const) {
    addTask(index, number, { queue, type });
  }
  addWorker(index, 'w', { concurrency: 3 });
  assert.deepEqual(planned(index), ['1>w', '2>w', '3>w']);
});

test('a worker at which the last attempt timed out is given the task only where there is no other', () => {
  const index = new TaskIndex();
  addTask(index, 1);
  addTask(index, 2);
  index.setAttempt(taskId(1), 1, attempt(1, { outcome: 'failed', worker: 'slow', retryAt: 0 }));
  index.setAttempt(taskId(2), 1, attempt(1, { outcome: 'timed_out', worker: 'slow', retryAt: 0 }));
  addWorker(index, 'slow', { concurrency: 100 });
  addWorker(index, 'busy', { concurrency: 2 });
  index.setAssignment(workerId('busy'), taskId(9), assignmentFact());
  assert.deepEqual(planned(index), ['1>slow', '2>busy']);
  const alone = new TaskIndex();
  addTask(alone, 2);
  alone.setAttempt(taskId(2), 1, attempt(1, { outcome: 'timed_out', worker: 'slow', retryAt: 0 }));
  addWorker(alone, 'slow');
  assert.deepEqual(planned(alone), ['2>slow']);
});

test('to the least loaded worker by share of its slots, and no more than it has slots', () => {
  const index = new TaskIndex();
  for (let number = 1; number <= 9; number++) addTask(index, number);
  addWorker(index, 'small', { concurrency: 2 });
  addWorker(index, 'large', { concurrency: 4 });
  const workers = planAssignments(index, 100).map(({ worker }) => worker);
  assert.equal(workers.filter((worker) => worker === 'small').length, 2);
  assert.equal(workers.filter((worker) => worker === 'large').length, 4);
  assert.deepEqual(new Set(workers.slice(0, 2)), new Set(['small', 'large']));
});

test('what a worker runs already counts, also what a person gave it', () => {
  const index = new TaskIndex();
  const busy = addWorker(index, 'busy', { concurrency: 2 });
  addTask(index, 1);
  index.setAssignment(busy, taskId(1), assignmentFact());
  addTask(index, 2);
  addWorker(index, 'idle', { concurrency: 2 });
  assert.deepEqual(planned(index), ['2>idle']);
});

test('only a worker that has the type and serves the queue', () => {
  const index = new TaskIndex();
  addTask(index, 1, { type: 'shell' });
  addTask(index, 2, { queue: 'slow' });
  addTask(index, 3, { type: 'shell', queue: 'slow' });
  addWorker(index, 'echo', { concurrency: 9, types: ['echo'], queues: ['default'] });
  addWorker(index, 'slow', { concurrency: 9, types: ['echo'], queues: ['slow'] });
  assert.deepEqual(planned(index), ['2>slow']);
  addWorker(index, 'any', { concurrency: 9 });
  assert.deepEqual(planned(index), ['1>any', '3>any']);
});

test('a task that nobody can take holds up no other', () => {
  const index = new TaskIndex();
  addTask(index, 1, { type: 'nobody-has-it', priority: 100 });
  addTask(index, 2);
  addWorker(index, 'w', { types: ['echo'] });
  assert.deepEqual(planned(index), ['2>w']);
});

test('nothing to a worker that drains, cannot be reached yet, has no slot, or is not known well enough', () => {
  const index = new TaskIndex();
  addTask(index, 1);
  addWorker(index, 'draining', { draining: true });
  addWorker(index, 'zero', { concurrency: 0 });
  index.setWorker(workerId('no-folder'), workerFact());
  index.setReachable(workerId('folder-only'), true);
  index.setReachable(workerId('unread'), true);
  index.setWorker(workerId('unread'), 'unread');
  assert.deepEqual(planned(index), []);
  index.setReachable(workerId('no-folder'), true);
  assert.deepEqual(planned(index), ['1>no-folder']);
});

test('a decision is made once, and again only after it was settled without effect', () => {
  const index = new TaskIndex();
  addTask(index, 1);
  const worker = addWorker(index, 'w');
  assert.deepEqual(planned(index), ['1>w']);
  addTask(index, 1); // the same fact again
  assert.deepEqual(planned(index), []);
  index.settle(entryOf(index, 1), worker);
  assert.deepEqual(planned(index), ['1>w']);
  index.setAssignment(worker, taskId(1), assignmentFact());
  index.settle(entryOf(index, 1), worker);
  assert.deepEqual(planned(index), []);
});

test('a refused decision is put off, and its slot is free meanwhile', () => {
  const index = new TaskIndex();
  index.advance(1000);
  addTask(index, 1);
  const worker = addWorker(index, 'w');
  assert.deepEqual(planned(index), ['1>w']);
  index.settle(entryOf(index, 1), worker, 1500);
  addTask(index, 2);
  assert.deepEqual(planned(index), ['2>w']);
  assert.equal(index.nextReviewAt, 1500);
  index.settle(entryOf(index, 2), worker, 9000);
  index.review(1500);
  assert.deepEqual(planned(index), ['1>w']);
});

test('facts that are not read yet are never planned on', () => {
  const index = new TaskIndex();
  addWorker(index, 'w', { concurrency: 9 });
  index.setTask(taskId(1), 'unread');
  addTask(index, 2);
  index.setStatus(taskId(2), 'unread');
  addTask(index, 3);
  index.setAttempt(taskId(3), 1, 'unread');
  addTask(index, 4);
  index.setCancel(taskId(4), 'unread');
  addTask(index, 5);
  index.setAssignment(workerId('other'), taskId(5), 'unread');
  assert.deepEqual(planned(index), []);
  index.setTask(taskId(1), taskFact(1));
  index.setStatus(taskId(2), status());
  index.setAttempt(taskId(3), 1, attempt(1, { retryAt: 0 }));
  index.setCancel(taskId(4), null);
  assert.deepEqual(planned(index), ['1>w', '3>w', '4>w']);
});

test('a task waits for its time, and for its next attempt', () => {
  const index = new TaskIndex();
  addWorker(index, 'w', { concurrency: 9 });
  index.advance(1000);
  addTask(index, 1, { runAt: 1001 });
  addTask(index, 2, { runAt: 1000 });
  addTask(index, 3);
  index.setAttempt(taskId(3), 1, attempt(1, { retryAt: 1002 }));
  assert.deepEqual(planned(index), ['2>w']);
  assert.equal(index.nextAlarmAt, 1001);
  index.advance(1001);
  assert.deepEqual(planned(index), ['1>w']);
  index.advance(1002);
  const [decision] = planAssignments(index, 9);
  assert.deepEqual([decision?.task, decision?.attempt], [taskId(3), 2]);
});

test('a task that somebody changed while it waited stands where it belongs now', () => {
  const index = new TaskIndex();
  addTask(index, 1);
  addTask(index, 2);
  addTask(index, 3);
  index.setTask(taskId(3), taskFact(3, { priority: 5 }, { version: 1 }));
  index.setTask(taskId(1), taskFact(1, { type: 'shell' }, { version: 1 }));
  addWorker(index, 'w', { concurrency: 9, types: ['echo'] });
  const decisions = planAssignments(index, 9);
  assert.deepEqual(
    decisions.map(({ task, taskVersion }) => [task, taskVersion]),
    [
      [taskId(3), 1],
      [taskId(2), 0],
    ],
  );
  addWorker(index, 'shell', { types: ['shell'] });
  assert.deepEqual(planned(index), ['1>shell']);
});

test('at most as many as asked for', () => {
  const index = new TaskIndex();
  for (let number = 1; number <= 5; number++) addTask(index, number);
  addWorker(index, 'w', { concurrency: 9 });
  assert.deepEqual(planned(index, 2), ['1>w', '2>w']);
  assert.deepEqual(planned(index, 2), ['3>w', '4>w']);
});

/** Says how often it was asked whether it has a name. */
function countedNames(names: string[]) {
  let asked = 0;
  const includes = (name: string) => {
    asked += 1;
    return names.indexOf(name) >= 0;
  };
  return { names: Object.assign([...names], { includes }), asked: () => asked };
}

test('while nobody has a free slot the line is not looked at, however long it is', (t) => {
  const index = new TaskIndex();
  for (let number = 1; number <= 500; number += 1) addTask(index, number, { queue: `q${number}` });
  for (let i = 0; i < 20; i += 1) {
    const busy = addWorker(index, `w${i}`, { concurrency: 1 });
    index.setAssignment(busy, taskId(1000 + i), assignmentFact());
  }
  const looked = t.mock.method(index.ready, 'headOf');
  assert.deepEqual([planned(index), looked.mock.callCount()], [[], 0]);
  addWorker(index, 'free', { concurrency: 2 });
  assert.deepEqual(planned(index), ['1>free', '2>free']);
});

test('of each type it is asked once whether anybody takes it, of each queue only where a worker names some', () => {
  const index = new TaskIndex();
  for (let number = 1; number <= 500; number += 1) addTask(index, number, { queue: `q${number}`, type: 'rare' });
  const types = countedNames(['echo']);
  for (let i = 0; i < 20; i += 1) addWorker(index, `w${i}`, { types: types.names });
  assert.deepEqual([planned(index), types.asked()], [[], 20]);
  addWorker(index, 'q7', { concurrency: 9, queues: ['q7'] });
  assert.deepEqual(planned(index), ['7>q7']);
});
