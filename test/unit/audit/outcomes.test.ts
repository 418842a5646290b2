// What is recorded below one task: each rule with a tree that breaks it, and with the lives of tasks that break none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditTree } from '../../../audit/audit-tree.ts';
import { attempt, type ForgedTree, healthyTree, status, task } from './forged-tree.ts';

const path = '/tasks/task-0000000001';
const failure = { state: 'failed', error: { code: 'handler_error', message: 'no' } } as const;

function withTask(change = {}): ForgedTree {
  return healthyTree().create(path, task(change));
}

function told(tree: ForgedTree): string[] {
  return auditTree(tree.snapshot()).map(({ rule, path }) => `${rule} ${path}`);
}

/** Attempt `k` failed, and another follows. */
function failed(tree: ForgedTree, k: number): ForgedTree {
  return tree.create(`${path}/attempt-${k}`, attempt({ attempt: k }));
}

/** Attempt `k` failed, and the task with it. */
function failedForGood(tree: ForgedTree, k: number): ForgedTree {
  return tree.together(() => {
    tree.create(`${path}/status`, status({ ...failure, attempt: k }));
    tree.create(`${path}/attempt-${k}`, attempt({ attempt: k, retryAt: null }));
  });
}

test('lives without a fault', () => {
  assert.deepEqual(told(withTask()), []);
  assert.deepEqual(told(withTask().create(`${path}/status`, status())), []);
  assert.deepEqual(told(failed(failed(withTask(), 1), 2).create(`${path}/status`, status({ attempt: 3 }))), []);
  assert.deepEqual(told(failedForGood(failed(withTask(), 1), 2)), []);
  const cancelled = withTask().create(`${path}/cancel`);
  assert.deepEqual(told(cancelled.create(`${path}/status`, status({ state: 'cancelled', attempt: 1 }))), []);
  // A person ends it, whatever is recorded.
  assert.deepEqual(told(failed(withTask(), 1).create(`${path}/status`, 'done')), []);
});

test('a record is made once and stays', () => {
  const changed = withTask()
    .create(`${path}/status`, status())
    .set(`${path}/status`, status({ attempt: 1 }));
  assert.deepEqual(told(changed), [`status-changed ${path}/status`]);
  const anew = withTask()
    .create(`${path}/status`, status())
    .remove(`${path}/status`)
    .create(`${path}/status`, status());
  assert.deepEqual(told(anew), [`removed-alone ${path}`]);
  const at = '2026-01-02T03:04:05.000Z';
  const [removed] = auditTree(
    failed(anew.remove(`${path}/status`), 1)
      .create(`${path}/status`, status())
      .snapshot(),
  );
  assert.equal(removed?.what, `has had 4 znodes below it and has 2 of them: attempt-1 of ${at}, status of ${at}`);
  assert.deepEqual(told(failed(withTask(), 1).set(`${path}/attempt-1`, attempt())), [
    `attempt-changed ${path}/attempt-1`,
  ]);
});

test('attempts are numbered from 1, without gaps, in order, up to maxAttempts', () => {
  assert.deepEqual(told(failed(failed(withTask(), 1), 3)), [`attempts-numbers ${path}`]);
  assert.deepEqual(told(failed(failed(withTask(), 2), 1)), [`attempts-order ${path}`]);
  assert.deepEqual(told(failed(failed(withTask({ maxAttempts: 1 }), 1), 2)), [`attempts-too-many ${path}`]);
  const success = failed(withTask({ maxAttempts: 1 }), 1).create(`${path}/status`, status({ attempt: 2 }));
  assert.deepEqual(told(success), [`attempts-too-many ${path}`]);
});

test('an end and its attempt are recorded together, and nothing after it', () => {
  const noEnd = withTask().create(`${path}/attempt-1`, attempt({ retryAt: null }));
  assert.deepEqual(told(noEnd), [`attempt-without-end ${path}/attempt-1`]);
  const noAttempt = withTask().create(`${path}/status`, status(failure));
  assert.deepEqual(told(noAttempt), [`end-without-attempt ${path}/status`]);
  assert.deepEqual(told(failed(failedForGood(withTask(), 1), 2)), [`attempt-after-end ${path}/attempt-2`]);
});

test('a success is that of an attempt that has not ended before', () => {
  const lost = withTask().create(`${path}/attempt-1`, attempt({ outcome: 'lost' }));
  assert.deepEqual(told(lost.create(`${path}/status`, status())), [`end-of-ended-attempt ${path}/status`]);
  const skipped = withTask().create(`${path}/status`, status({ attempt: 2 }));
  assert.deepEqual(told(skipped), [`end-of-ended-attempt ${path}/status`]);
  // The next one goes on from the highest number.
  const success = status({ attempt: 4 });
  assert.deepEqual(told(failed(failed(withTask({ maxAttempts: 9 }), 1), 3).create(`${path}/status`, success)), [
    `attempts-numbers ${path}`,
  ]);
});

test('only what was recorded before an end is held against it; what came after is told as such, whoever wrote it', () => {
  const ended = () => withTask().create(`${path}/status`, status());
  for (const [k, data, others] of [
    [1, attempt({ outcome: 'lost' }), []],
    [2, attempt({ attempt: 2 }), []],
    [2, 'hello', [`unreadable ${path}/attempt-2`]],
    [7, 'hello', [`unreadable ${path}/attempt-7`]],
  ] as const) {
    const late = [`attempt-after-end ${path}/attempt-${k}`, ...others];
    assert.deepEqual(told(ended().create(`${path}/attempt-${k}`, data)), late);
  }
  const findings = auditTree(ended().create(`${path}/attempt-2`, 'hello').snapshot());
  assert.equal(findings[0]?.what, 'was recorded after the task had ended, and not by a process of ours');
  // With attempt 2 recorded before, attempt 1 cannot have been the next.
  const before = failed(withTask(), 2).create(`${path}/status`, status());
  assert.deepEqual(told(before), [`attempts-numbers ${path}`, `end-of-ended-attempt ${path}/status`]);
  const [, wrong] = auditTree(before.snapshot());
  assert.equal(wrong?.what, 'is the success of attempt 1, and attempt 2 is the last one that is recorded before it');
  // A person's end says nothing of what comes after it.
  assert.deepEqual(told(withTask().create(`${path}/status`, 'done').create(`${path}/attempt-1`, attempt())), []);
});
