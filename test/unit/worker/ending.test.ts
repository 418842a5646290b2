// Goal: no task is recorded as expired before its deadline, and no other outcome is moved.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTask } from '../../../coordination/task-record.ts';
import type { Moment } from '../../../domain/task-machine.ts';
import { endingOf } from '../../../services/worker/ending.ts';
import type { AttemptResult } from '../../../services/worker/task-runner.ts';

const submittedAt = Date.parse('2026-01-02T03:04:05.000Z');
const expired: AttemptResult = { kind: 'expired' };
const marked: AttemptResult = { kind: 'aborted', why: { kind: 'withdrawn', reason: 'expired' } };
const cancelled: AttemptResult = { kind: 'aborted', why: { kind: 'withdrawn', reason: 'cancelled' } };

function finishedAt(result: AttemptResult, afterMs: number, options: object = { deadlineMs: 1500 }): number | null {
  const reading = decodeTask(Buffer.from(JSON.stringify({ v: 1, type: 'any', ...options })), submittedAt);
  assert.ok(reading.kind === 'task');
  const at: Moment = { attempt: 1, worker: 'w', startedAt: submittedAt, finishedAt: submittedAt + afterMs };
  const ending = endingOf(result, reading.record, at, '', 0.5);
  assert.ok(ending.kind === 'outcome');
  if (ending.attempt) assert.equal(ending.attempt.finishedAt, ending.status?.finishedAt);
  return (ending.status?.finishedAt ?? Number.NaN) - submittedAt;
}

test('a deadline that was told of a little early is when the run ended', () => {
  for (const result of [expired, marked]) {
    assert.equal(finishedAt(result, 1490), 1500);
    assert.equal(finishedAt(result, 1510), 1510);
    assert.equal(finishedAt(result, 1490, {}), 1490);
  }
  assert.equal(finishedAt(cancelled, 1490), 1490);
  assert.equal(finishedAt({ kind: 'succeeded', result: null }, 1490), 1490);
});
