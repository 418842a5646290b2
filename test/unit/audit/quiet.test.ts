// What must hold where nothing is under way: each rule with a tree that breaks it, and what a task may wait for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietFindings } from '../../../audit/audit-tree.ts';
import type { TaskId } from '../../../domain/task.ts';
import {
  assignment,
  attempt,
  type ForgedTree,
  forgedAt,
  healthyTree,
  register,
  sessions,
  status,
  task,
} from './forged-tree.ts';

const one = '/tasks/task-0000000001';
const two = '/tasks/task-0000000002';
const after = ['task-0000000001' as TaskId];
const later = forgedAt + 60_000;
const failure = { state: 'failed', error: { code: 'handler_error', message: 'no' } } as const;
const alive = new Set(Object.values(sessions));

function told(tree: ForgedTree): string[] {
  const world = { now: forgedAt + 1000, sessions: alive };
  return quietFindings(tree.snapshot(), world).map(({ rule, path }) => `${rule} ${path}`);
}

function ended(change = {}): ForgedTree {
  return healthyTree().create(one, task()).create(`${one}/status`, status(change));
}

test('nothing to do is quiet, and so are tasks that have ended', () => {
  assert.deepEqual(told(healthyTree()), []);
  assert.deepEqual(told(ended()), []);
});

test('each rule has a tree that breaks it', () => {
  const left = ended().create('/assign/w1/task-0000000001', assignment());
  assert.deepEqual(told(left), ['quiet-assignment /assign/w1/task-0000000001']);
  assert.deepEqual(told(healthyTree().create('/workers/w2', 'x', 3n).create('/assign/w2')), [
    'quiet-owner /workers/w2',
  ]);
  assert.deepEqual(told(healthyTree().remove('/master')), ['quiet-leader /master']);
  assert.deepEqual(told(ended().create('/backlog', '{"v":1,"unfinished":0}')), []);
  assert.deepEqual(told(ended().create('/backlog', '{"v":1,"unfinished":1}')), ['quiet-backlog /backlog']);
});

const unfinished = [`quiet-unfinished ${one}`];
const unfinishedTwo = [`quiet-unfinished ${two}`];

test('a task that could run, or end, should have', () => {
  assert.deepEqual(told(healthyTree().create(one, task())), unfinished);
  assert.deepEqual(told(healthyTree().create(one, 'echo hello')), unfinished);
  assert.deepEqual(told(healthyTree().create(one, '{"v":1}')), unfinished);
  const waits = task({ runAt: later });
  assert.deepEqual(told(healthyTree().create(one, waits).create(`${one}/cancel`)), unfinished);
  assert.deepEqual(told(healthyTree().create(one, task({ runAt: later, deadlineMs: 10 }))), unfinished);
});

test('it may wait for its time', () => {
  assert.deepEqual(told(healthyTree().create(one, task({ runAt: later }))), []);
  const again = healthyTree().create(one, task());
  assert.deepEqual(told(again.create(`${one}/attempt-1`, attempt({ retryAt: later }))), []);
});

test('it may wait for other tasks, as long as they can still let it go', () => {
  const open = healthyTree().create(one, task({ runAt: later }));
  assert.deepEqual(told(open.create(two, task({ after }))), []);
  assert.deepEqual(told(ended().create(two, task({ after }))), unfinishedTwo);
  assert.deepEqual(told(healthyTree().create(two, task({ after }))), unfinishedTwo);
  for (const [afterFailure, expected] of [
    ['fail', unfinishedTwo],
    ['run', unfinishedTwo],
    ['wait', []],
  ] as const) {
    assert.deepEqual(told(ended(failure).create(two, task({ after, afterFailure }))), expected);
  }
});

test('it may wait for its exclusive key, for its queue, and for a worker', () => {
  const exclusiveKey = 'k';
  const line = healthyTree().create(one, task({ exclusiveKey, runAt: later }));
  assert.deepEqual(told(line.create(two, task({ exclusiveKey }))), []);
  assert.deepEqual(told(healthyTree().create('/queues/default', '{"v":1,"paused":true}').create(one, task())), []);
  assert.deepEqual(told(healthyTree().create('/queues/default', '{"v":1,"concurrency":0}').create(one, task())), []);
  const fit = { types: ['mail'], queues: ['default'] };
  const idle = healthyTree().remove('/workers/w1').create(one, task());
  assert.deepEqual(told(register(idle, 'w2', fit)), []);
  assert.deepEqual(told(register(idle, 'w3', { ...fit, types: ['echo'] })), unfinished);
});
