// Goal: every path that we make reads back, and what others make under the same parents is told apart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parentPaths,
  parseAssignPath,
  parseAttemptName,
  parseQueuePath,
  parseTaskPath,
  parseWorkerPath,
  paths,
} from '../../../coordination/znode-paths.ts';
import type { TaskId, WorkerId } from '../../../domain/task.ts';
import { parseTaskId, taskNumber } from '../../../domain/task-id.ts';

const task = 'task-0000000042' as TaskId;
const worker = 'worker1' as WorkerId;

test('paths read back', () => {
  assert.deepEqual(parseTaskPath(paths.task(task)), { kind: 'task', task });
  assert.deepEqual(parseTaskPath(paths.status(task)), { kind: 'status', task });
  assert.deepEqual(parseTaskPath(paths.cancel(task)), { kind: 'cancel', task });
  assert.deepEqual(parseTaskPath(paths.attempt(task, 3)), { kind: 'attempt', task, attempt: 3 });
  assert.deepEqual(parseAssignPath(paths.assignments(worker)), { worker, task: null });
  assert.deepEqual(parseAssignPath(paths.assignment(worker, task)), { worker, task });
  assert.equal(parseWorkerPath(paths.worker(worker)), worker);
});

test('a task is `task-` and a number', () => {
  assert.equal(parseTaskId('task-0000000000'), 'task-0000000000');
  assert.equal(parseTaskId('task-2147483647'), 'task-2147483647');
  for (const name of ['task-', 'task-x', 'task-00000000-1', 'Task-0000000001', 'task-0000000001x', 'other', '']) {
    assert.equal(parseTaskId(name), null, name);
  }
  assert.equal(taskNumber(task), 42);
});

test('the path of a queue reads back', () => {
  assert.equal(parseQueuePath(paths.queue('mail.bulk_2-x')), 'mail.bulk_2-x');
});

test('an attempt is `attempt-` and a number from 1, without leading zeros', () => {
  assert.equal(parseAttemptName('attempt-1'), 1);
  assert.equal(parseAttemptName('attempt-100'), 100);
  for (const name of ['attempt-0', 'attempt-01', 'attempt-', 'attempt--1', 'attempt-1x', 'attempt-1e3']) {
    assert.equal(parseAttemptName(name), null, name);
  }
});

test('what is none of ours is left alone', () => {
  for (const path of ['/tasks', '/tasks/', '/tasks/readme', '/tasks/other-0000000001/status', '/workers/w']) {
    assert.equal(parseTaskPath(path), null, path);
  }
  for (const below of ['/note', '/attempt-0', '/status/deeper', '/']) {
    assert.equal(parseTaskPath(paths.task(task) + below), null, below);
  }
  for (const path of ['/assign', '/assign/w/note', '/assign/w/task-0000000001/deeper', '/tasks/w']) {
    assert.equal(parseAssignPath(path), null, path);
  }
  for (const path of ['/workers', '/workers/', '/workers/w/deeper', '/assign/w']) {
    assert.equal(parseWorkerPath(path), null, path);
  }
  for (const path of [
    '/queues',
    '/queues/',
    '/queues/q/deeper',
    '/queues/a b',
    `/queues/${'x'.repeat(65)}`,
    '/assign/q',
  ]) {
    assert.equal(parseQueuePath(path), null, path);
  }
});

test('the parents are those of the contract, less what is made by who owns it', () => {
  const expected = ['/assign', '/epoch', '/idempotency', '/queues', '/schedules', '/tasks', '/workers'];
  assert.deepEqual([...parentPaths].sort(), expected);
});
