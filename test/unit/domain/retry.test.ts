// Goal: when a failed attempt is followed by another, and when. Method: examples of each rule, and bounds as a property.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../../domain/limits.ts';
import { type FailedAttempt, nextRetryAt, type RetryPolicy } from '../../../domain/retry.ts';
import type { Backoff } from '../../../domain/task.ts';

function policy(backoff: Partial<Backoff>, maxAttempts = 10): RetryPolicy {
  return {
    maxAttempts,
    deadlineAt: null,
    backoff: { type: 'exponential', delayMs: 1000, maxDelayMs: null, jitter: false, ...backoff },
  };
}

const failedAt = 5000;

/** From the end of the attempt. */
function delayMs(retry: RetryPolicy, failed: Omit<FailedAttempt, 'finishedAt'>, random: number): number | null {
  const at = nextRetryAt(retry, { ...failed, finishedAt: failedAt }, random);
  return at === null ? null : at - failedAt;
}

function delays(retry: RetryPolicy, attempts: number, random = 0): (number | null)[] {
  return Array.from({ length: attempts }, (_, i) =>
    delayMs(retry, { attempt: i + 1, retryable: true, retryAfterMs: null }, random),
  );
}

test('exponential: doubles with each attempt, up to its cap', () => {
  assert.deepEqual(delays(policy({}), 5), [1000, 2000, 4000, 8000, 16_000]);
  assert.deepEqual(delays(policy({ maxDelayMs: 3000 }), 4), [1000, 2000, 3000, 3000]);
});

test('fixed: always the same', () => {
  assert.deepEqual(delays(policy({ type: 'fixed' }), 3), [1000, 1000, 1000]);
});

test('jitter: between half and the whole', () => {
  const jitter = policy({ jitter: true });
  assert.deepEqual(delays(jitter, 2, 0), [500, 1000]);
  assert.deepEqual(delays(jitter, 2, 0.5), [750, 1500]);
});

test('no other attempt: they are used up, or the handler says that it is no use', () => {
  assert.deepEqual(delays(policy({}, 2), 3), [1000, null, null]);
  assert.equal(delayMs(policy({}), { attempt: 1, retryable: false, retryAfterMs: 5 }, 0), null);
});

test("the handler's own delay comes before the policy's", () => {
  assert.equal(delayMs(policy({}), { attempt: 1, retryable: true, retryAfterMs: 7 }, 0.9), 7);
  assert.equal(delayMs(policy({}), { attempt: 1, retryable: true, retryAfterMs: -7 }, 0.9), 0);
});

test('no other attempt begins at the deadline or after it, whoever wished for that', () => {
  const late = (deadlineAt: number, retryAfterMs: number | null = null) =>
    delayMs({ ...policy({}), deadlineAt }, { attempt: 1, retryable: true, retryAfterMs }, 0);
  assert.equal(late(failedAt + 1001), 1000);
  assert.equal(late(failedAt + 1000), null);
  assert.equal(late(failedAt + 100, 99), 99);
  assert.equal(late(failedAt + 100, 100), null);
  assert.equal(late(failedAt, 0), null);
});

test('whatever the numbers, a delay is one that can be waited for', () => {
  const backoff = fc.record({
    type: fc.constantFrom('exponential' as const, 'fixed' as const),
    delayMs: fc.integer({ min: 0, max: limits.backoffDelayMsMax }),
    maxDelayMs: fc.option(fc.integer({ min: 0, max: limits.backoffDelayMsMax })),
    jitter: fc.boolean(),
  });
  const attempt = fc.integer({ min: 1, max: limits.attemptsMax });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const after = fc.option(fc.double({ noNaN: true }));
  fc.assert(
    fc.property(backoff, attempt, random, after, (each, number, drawn, retryAfterMs) => {
      const failed = { attempt: number, retryable: true, retryAfterMs };
      const delay = delayMs({ maxAttempts: 101, deadlineAt: null, backoff: each }, failed, drawn);
      assert.ok(delay !== null && delay >= 0 && delay <= limits.backoffDelayMsMax, String(delay));
      if (retryAfterMs === null && each.maxDelayMs !== null && each.type === 'exponential') {
        assert.ok(delay <= each.maxDelayMs);
      }
    }),
  );
});
