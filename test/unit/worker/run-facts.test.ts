// Goal: a handler is told what the record of its task says, in data that gets into a thread, whatever times somebody wrote there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskId, TaskRecord } from '../../../domain/task.ts';
import { runFacts } from '../../../services/worker/run-facts.ts';
import { taskRecord } from '../../fault/task-record.ts';

const id = 'task-0000000042' as TaskId;
const factsOf = (record: Partial<TaskRecord>) => runFacts(id, taskRecord(record), 2, 2n ** 63n);

test('what the record says, times as text, and null for what it does not say', () => {
  const labels = { customer: '42' };
  const submittedAt = Date.parse('2026-01-02T03:04:05.006Z');
  const schedule = { name: 'nightly', at: submittedAt };
  const own = { queue: 'mail', labels, maxAttempts: 7, retryOf: 'task-0000000041' };
  const facts = factsOf({ ...own, submittedAt, deadlineMs: 1000, schedule });
  assert.deepEqual(facts, {
    ...{ ...own, taskId: id, attempt: 2, fencingToken: '9223372036854775808' },
    ...{ deadlineAt: '2026-01-02T03:04:06.006Z', schedule: { name: 'nightly', at: '2026-01-02T03:04:05.006Z' } },
  });
  assert.deepEqual(structuredClone(facts), facts);
  const { deadlineAt, schedule: none, retryOf } = factsOf({});
  assert.deepEqual([deadlineAt, none, retryOf], [null, null, null]);
  assert.equal(factsOf({ schedule: { name: 's', at: null } }).schedule?.at, null);
});

test('a deadline beyond the end of time ends no worker', () => {
  const { deadlineAt } = factsOf({ submittedAt: 8_640_000_000_000_000, deadlineMs: 1 });
  assert.equal(deadlineAt, '9999-12-31T23:59:59.999Z');
});
