// Goal: the Task resource says what the stored facts say, and which of them wins. Method: snapshots by example, and the order
// of the states as a property.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TaskRecord } from '../../../domain/task.ts';
import { type TaskSnapshot, taskStateAt, taskView } from '../../../domain/task-view.ts';
import { assignmentFact, attempt, status, taskId, workerId } from './facts.ts';

const now = 10_000;
const record: TaskRecord = {
  ...{ type: 'echo', payload: [1], queue: 'q', priority: 3, runAt: null, timeoutMs: 1000, maxAttempts: 2 },
  backoff: { type: 'fixed', delayMs: 1, maxDelayMs: null, jitter: false },
  ...{
    labels: { a: 'b' },
    retentionMs: 1,
    submitId: 'id',
    submittedAt: 500,
    idempotencyKey: null,
    retryOf: null,
    batch: null,
    deadlineMs: 60_000,
    exclusiveKey: 'account-1',
    after: [],
    afterFailure: 'fail',
    schedule: null,
  },
};
const running = { worker: workerId('w'), record: assignmentFact({ attempt: 2, startedAt: 700 }).record };

function snapshot(facts: Partial<TaskSnapshot> = {}): TaskSnapshot {
  return {
    id: taskId(1),
    record,
    createdAt: 400,
    unblockedAt: null,
    cancelRequested: false,
    status: null,
    attempts: [],
    assignment: null,
    ...facts,
  };
}

test('a status beats an assignment, an assignment beats a time', () => {
  const optional = <T>(value: T) => fc.constantFrom(null, value);
  const facts = fc.record({
    status: optional(status({ state: 'failed' })),
    assignment: optional(running),
    attempts: fc.constantFrom([], [attempt(1, { retryAt: now + 1 })], [attempt(1, { retryAt: now })]),
    record: fc.constantFrom(null, record, { ...record, runAt: now + 1 }),
  });
  fc.assert(
    fc.property(facts, (each) => {
      const state = taskStateAt(snapshot(each), now);
      if (each.status) return assert.equal(state, 'failed');
      if (each.assignment) return assert.equal(state, 'running');
      const notBefore = each.attempts[0]?.retryAt ?? each.record?.runAt ?? 0;
      assert.equal(state, notBefore > now ? 'scheduled' : 'queued');
    }),
  );
});

test('a queued task', () => {
  assert.deepEqual(taskView(snapshot(), now), {
    ...{ id: taskId(1), type: 'echo', queue: 'q', state: 'queued', payload: [1], priority: 3, labels: { a: 'b' } },
    ...{ attempt: 0, maxAttempts: 2, worker: null, progress: null, submittedAt: 500, runAt: null, startedAt: null },
    ...{ finishedAt: null, result: null, error: null, attempts: [], retryOf: null, deadlineAt: 60_500 },
    ...{ exclusiveKey: 'account-1', after: [], afterFailure: 'fail', schedule: null, nextAttemptAt: null },
  });
});

test('the next attempt has a time while the task is scheduled and waits for nothing else', () => {
  const next = (facts: Partial<TaskSnapshot>) => taskView(snapshot(facts), now).nextAttemptAt;
  const backingOff = { attempts: [attempt(1, { retryAt: now + 5 })] };
  const delayed = { ...record, runAt: now + 7 };
  const dependent = { ...delayed, after: [taskId(2)] };
  assert.equal(next(backingOff), now + 5);
  assert.equal(next({ record: delayed }), now + 7);
  assert.equal(next({ record: dependent, unblockedAt: now - 1 }), now + 7);
  assert.equal(next({ record: dependent }), null, 'nobody knows when the other task has succeeded');
  assert.equal(next({ attempts: [attempt(1, { retryAt: now })] }), null, 'its time has come: it is queued');
  assert.equal(next({ ...backingOff, assignment: running }), null);
  assert.equal(next({ record: delayed, status: status({ state: 'cancelled' }) }), null);
});

test('between attempts there is neither worker nor start, nor for a task that ended while it waited', () => {
  const between = taskView(snapshot({ attempts: [attempt(1, { retryAt: now + 1 })] }), now);
  const ended = status({ state: 'cancelled', attempt: 1, worker: null, startedAt: null });
  const cancelled = taskView(snapshot({ attempts: [attempt(1)], status: ended }), now);
  for (const view of [between, cancelled]) {
    assert.deepEqual([view.attempt, view.worker, view.startedAt], [1, null, null]);
  }
});

test('a running task has the worker, attempt and progress of its assignment', () => {
  const progress = { percent: 50, message: 'half' };
  const assignment = { worker: running.worker, record: { ...running.record, progress } };
  const view = taskView(snapshot({ attempts: [attempt(1)], assignment }), now);
  assert.deepEqual(
    [view.state, view.worker, view.attempt, view.startedAt, view.progress],
    ['running', 'w', 2, 700, progress],
  );
});

test('an assignment of a person says nothing but the worker', () => {
  const empty = assignmentFact({ attempt: null, startedAt: null }).record;
  const view = taskView(snapshot({ assignment: { worker: workerId('w'), record: empty } }), now);
  assert.deepEqual([view.state, view.worker, view.startedAt], ['running', 'w', null]);
});

test('the attempt that succeeded is shown after those that failed, though it has no record of its own', () => {
  const view = taskView(snapshot({ attempts: [attempt(1)], status: status({ attempt: 2, worker: 'v' }) }), now);
  assert.deepEqual(
    view.attempts.map(({ attempt: number, outcome, worker }) => [number, outcome, worker]),
    [
      [1, 'failed', 'w'],
      [2, 'succeeded', 'v'],
    ],
  );
  assert.ok(view.attempts.every((each) => !('retryAt' in each)));
});

test('a task that is none has nothing but its name and its end', () => {
  const error = { code: 'invalid_task', message: 'no' } as const;
  const ended = status({ state: 'failed', result: null, error, attempt: 0, worker: null });
  const view = taskView(snapshot({ record: null, status: ended }), now);
  assert.deepEqual([view.type, view.queue, view.payload, view.submittedAt], [null, null, null, 400]);
  assert.deepEqual([view.state, view.error], ['failed', error]);
});
