// Goal: what the index keeps beside the facts: alarms, folders of workers that are gone, the unfinished, and nothing that
// grows without end. Method: examples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backlogOf } from '../../../domain/backlog-counts.ts';
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

const hour = 3_600_000;

test('a task that is removed is forgotten with all that was known of it', () => {
  const index = new TaskIndex();
  addTask(index, 1);
  index.setAttempt(taskId(1), 1, attempt(1));
  index.setCancel(taskId(1), { reason: 'no' });
  index.setStatus(taskId(1), status());
  assert.equal(index.finished.size, 1);
  index.removeTask(taskId(1));
  assert.deepEqual([index.tasks.size, index.unsettled.size, index.finished.size], [0, 0, 0]);
  index.setStatus(taskId(1), null); // its children are reported gone after it
  assert.equal(index.tasks.size, 0);
});

test('a task that is removed while it is assigned or decided about stays until that is over', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w');
  addTask(index, 1);
  planAssignments(index, 1);
  index.removeTask(taskId(1));
  index.setAssignment(worker, taskId(1), assignmentFact());
  index.settle(entryOf(index, 1), worker);
  assert.deepEqual([...index.unsettled], [taskId(1)]);
  index.setAssignment(worker, taskId(1), null);
  assert.equal(index.tasks.size, 0);
});

test('each of the unfinished counts, by queue where that is known', () => {
  const index = new TaskIndex();
  addTask(index, 1, { queue: 'a' });
  addTask(index, 2, { queue: 'a', runAt: 9000 });
  addTask(index, 3, { queue: 'b' });
  index.setAssignment(workerId('w'), taskId(3), assignmentFact());
  addTask(index, 4, { queue: 'b' });
  index.setStatus(taskId(4), status());
  index.setTask(taskId(5), 'unread');
  const backlog = { unfinished: 4, queues: { a: 2, b: 1 }, waiting: {} };
  assert.deepEqual(backlogOf(index.states.counts, index.queues), backlog);
});

test('between the end of a status and that of its task nothing waits, is counted otherwise or is assigned', () => {
  const index = new TaskIndex();
  index.advance(1000);
  index.states.goLive();
  addWorker(index, 'w', { concurrency: 9 });
  for (const number of [1, 2]) {
    addTask(index, number);
    index.setStatus(taskId(number), status());
  }
  const seen = () => [index.states.counts.states.succeeded, index.states.counts.unfinished, index.states.queuedSince];
  for (const number of [1, 2]) index.setStatus(taskId(number), null);
  assert.deepEqual([seen(), planAssignments(index, 9), index.finished.size], [[2, 0, null], [], 0]);
  index.removeTask(taskId(1));
  assert.deepEqual([seen(), index.nextReviewAt], [[1, 0, null], 20]);
  index.advance(1); // that it is set back changes nothing of it
  index.review(20); // the other was not removed: somebody took its status away
  assert.deepEqual(seen(), [0, 1, 0]);
  assert.deepEqual(
    planAssignments(index, 9).map(({ task }) => task),
    [taskId(2)],
  );
});

test('what is set aside after a refusal comes back when its time has passed, though the clock is set back meanwhile', () => {
  const index = new TaskIndex();
  index.advance(hour);
  addTask(index, 1);
  index.settle(entryOf(index, 1), null, 20);
  index.advance(0);
  assert.equal(index.phase(entryOf(index, 1)), 'unclear');
  index.review(20);
  assert.equal(index.phase(entryOf(index, 1)), 'ready');
});

test('of many tasks that are due at once so many are looked at and no more, and the rest is asked for', () => {
  const index = new TaskIndex();
  for (let number = 1; number <= 2500; number += 1) addTask(index, number, { runAt: 5000 });
  const { states } = index.states.counts;
  const seen: [number, number | null][] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    index.advance(6000);
    seen.push([states.queued, index.nextAlarmAt]);
  }
  assert.deepEqual(seen, [
    [1000, 5000],
    [2000, 5000],
    [2500, null],
  ]);
});

test('whoever asks is told of each task that becomes final, once', () => {
  const index = new TaskIndex();
  const finished: string[] = [];
  index.onFinished = ({ id }) => finished.push(id);
  addTask(index, 1);
  index.setStatus(taskId(1), status());
  index.setStatus(taskId(1), status());
  index.setAssignment(workerId('w'), taskId(1), assignmentFact()); // a leftover
  index.setAssignment(workerId('w'), taskId(1), null);
  assert.deepEqual(finished, [taskId(1)]);
});

test('the folder of a worker is abandoned once the worker has been seen, is gone, and left nothing below', () => {
  const index = new TaskIndex();
  const seen = () => [...index.abandoned];
  index.setReachable(workerId('not-yet'), true);
  assert.deepEqual(seen(), []); // somebody is about to register
  const worker = addWorker(index, 'w');
  addTask(index, 1);
  index.setAssignment(worker, taskId(1), assignmentFact());
  index.setWorker(worker, null);
  assert.deepEqual(seen(), []);
  index.setAssignment(worker, taskId(1), null);
  assert.deepEqual(seen(), ['w']);
  index.setWorker(worker, workerFact());
  assert.deepEqual(seen(), []);
  index.setWorker(worker, null);
  index.setReachable(worker, false);
  assert.deepEqual([seen(), index.workers.has(worker)], [[], false]);
});

test('an alarm goes off once, however often it was set', () => {
  const index = new TaskIndex();
  index.advance(1000);
  for (let i = 0; i < 5; i++) addTask(index, 1, { runAt: 2000 });
  index.advance(2000);
  assert.equal(index.nextAlarmAt, null);
  addWorker(index, 'w');
  assert.equal(planAssignments(index, 9).length, 1);
});

test('a standby, which never plans, keeps no place in line for what others ran', () => {
  const index = new TaskIndex();
  const worker = workerId('w');
  for (let number = 1; number <= 20_000; number++) {
    index.setTask(taskId(number), taskFact(number, { queue: `q${number % 7}` }));
    index.setAssignment(worker, taskId(number), assignmentFact());
    index.setStatus(taskId(number), status());
    index.setAssignment(worker, taskId(number), null);
    index.removeTask(taskId(number));
  }
  assert.equal(index.tasks.size, 0);
  assert.ok(index.ready.places < 2000, `${index.ready.places} places`);
  addTask(index, 1);
  addWorker(index, 'other');
  assert.equal(planAssignments(index, 9).length, 1);
});

test('a clock that is set back takes no ready task out of the line for good', () => {
  const index = new TaskIndex();
  addTask(index, 1, { runAt: 1000 });
  index.advance(1001); // ready, and nobody to run it
  index.advance(995);
  assert.deepEqual(planAssignments(index, 10), []);
  addWorker(index, 'w');
  assert.deepEqual(planAssignments(index, 10), [], 'it is not its time yet, or not any more');
  assert.equal(index.nextAlarmAt, 1000);
  index.advance(1000);
  assert.equal(planAssignments(index, 10).length, 1);
});

test('alarms of tasks that went before their time do not pile up', () => {
  const index = new TaskIndex();
  for (let number = 1; number <= 5000; number += 1) {
    addTask(index, number, { runAt: 1_000_000_000 });
    index.removeTask(taskId(number));
  }
  assert.equal(index.tasks.size, 0);
  assert.ok(index.alarms < 2000, `${index.alarms} alarms`);
});

test('a task that is handed back waits for the second time on, longer each time', () => {
  const index = new TaskIndex();
  addTask(index, 1);
  addWorker(index, 'w');
  index.advance(1000);
  let uptime = 0;
  const waits = [1, 2, 3].map(() => {
    index.setAssignment(workerId('w'), taskId(1), assignmentFact());
    index.setAssignment(workerId('w'), taskId(1), null);
    const wait = Math.max(0, entryOf(index, 1).pausedUntil - uptime);
    index.advance(1); // though the clock goes back
    if (wait > 0) assert.equal(index.phase(entryOf(index, 1)), 'unclear');
    uptime += wait;
    index.review(uptime);
    assert.equal(index.phase(entryOf(index, 1)), 'ready');
    return wait;
  });
  assert.equal(waits[0], 0);
  assert.ok(
    waits.every((wait, i) => i === 0 || wait > (waits[i - 1] ?? 0)),
    `${waits}`,
  );
});
