// When a failed attempt is followed by another, and when. A function of the task's policy, the attempt and a random
// number that is passed in: the caller records the time, so that it survives whoever decided it. Pure.

import { limits } from './limits.ts';
import type { Backoff } from './task.ts';

export interface FailedAttempt {
  /** From 1. */
  readonly attempt: number;
  /** False: the handler said that another attempt is useless. */
  readonly retryable: boolean;
  /** The handler's own wish for the delay, in place of the policy's. */
  readonly retryAfterMs: number | null;
  /** Epoch ms. */
  readonly finishedAt: number;
}

export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly backoff: Backoff;
  /** Epoch ms: from then on no attempt begins. Null: no deadline. */
  readonly deadlineAt: number | null;
}

/** When the next attempt may start, epoch ms, or null where there is none. `random` is in [0, 1). */
export function nextRetryAt(policy: RetryPolicy, failed: FailedAttempt, random: number): number | null {
  const delayMs = retryDelayMs(policy, failed, random);
  const at = delayMs === null ? null : failed.finishedAt + delayMs;
  return at === null || at >= (policy.deadlineAt ?? Infinity) ? null : at;
}

function retryDelayMs(policy: RetryPolicy, failed: FailedAttempt, random: number): number | null {
  if (!failed.retryable || failed.attempt >= policy.maxAttempts) return null;
  if (failed.retryAfterMs !== null) return clampDelay(failed.retryAfterMs);
  const { type, delayMs, maxDelayMs, jitter } = policy.backoff;
  const grown = type === 'fixed' ? delayMs : delayMs * 2 ** (failed.attempt - 1);
  const delay = clampDelay(Math.min(grown, maxDelayMs ?? limits.backoffDelayMsMax));
  return jitter ? Math.round(delay / 2 + (delay / 2) * random) : delay;
}

function clampDelay(delayMs: number): number {
  return Math.min(Math.max(0, delayMs), limits.backoffDelayMsMax);
}
