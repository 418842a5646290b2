// How a run is to be recorded, from how it ended: as the task's final status, as a failed attempt with the time of the
// next one, as handed back without having counted, or not at all. Pure but for the types.

import { nextRetryDelayMs } from '../../domain/retry.ts';
import type { AttemptRecord, StatusRecord, TaskError, TaskRecord } from '../../domain/task.ts';
import { RunEnd } from './run-end.ts';
import type { AttemptResult } from './task-runner.ts';

/** What is common to everything that an attempt leaves behind; times in epoch ms. */
export interface AttemptFacts {
  readonly attempt: number;
  readonly worker: string;
  readonly startedAt: number;
  readonly finishedAt: number;
}

export type Ending =
  | { readonly kind: 'outcome'; readonly status: StatusRecord | null; readonly attempt: AttemptRecord | null }
  | { readonly kind: 'hand_back' }
  | { readonly kind: 'nothing' };

/** `cancelReason` is what was given with the request to cancel; `random` in [0, 1) is for the jitter. */
export function endingOf(
  result: AttemptResult,
  record: TaskRecord,
  facts: AttemptFacts,
  cancelReason: string,
  random: number,
): Ending {
  switch (result.kind) {
    case 'succeeded':
      return succeeded(result.result, facts);
    case 'failed':
      return failed(result, record, facts, random);
    case 'aborted':
      return aborted(result.reason, facts, cancelReason);
  }
}

function succeeded(result: StatusRecord['result'], facts: AttemptFacts): Ending {
  return { kind: 'outcome', status: { ...facts, state: 'succeeded', result, error: null }, attempt: null };
}

function failed(
  result: AttemptResult & { kind: 'failed' },
  policy: TaskRecord,
  facts: AttemptFacts,
  random: number,
): Ending {
  const { error, outcome, retryable, retryAfterMs } = result;
  const delayMs = nextRetryDelayMs(policy, { attempt: facts.attempt, retryable, retryAfterMs }, random);
  const retryAt = delayMs === null ? null : facts.finishedAt + delayMs;
  const status: StatusRecord | null = retryAt === null ? { ...facts, state: 'failed', result: null, error } : null;
  return { kind: 'outcome', status, attempt: { ...facts, outcome, error, retryAt } };
}

/** In place of a result that no packet to ZooKeeper can carry. */
export function tooLargeResult(result: AttemptResult): AttemptResult {
  if (result.kind !== 'succeeded') return result;
  const error: TaskError = { code: 'invalid_result', message: 'the result is too large to be kept in ZooKeeper' };
  return { kind: 'failed', outcome: 'failed', error, retryable: true, retryAfterMs: null };
}

/** The data of the task is no task of ours: it ends as failed without having run. */
export function invalidTaskEnding(why: string, facts: AttemptFacts): Ending {
  const error: TaskError = { code: 'invalid_task', message: `this is no task of ours: ${why}` };
  return { kind: 'outcome', status: { ...facts, state: 'failed', result: null, error }, attempt: null };
}

function aborted(reason: unknown, facts: AttemptFacts, cancelReason: string): Ending {
  const why = reason instanceof RunEnd ? reason.why : null;
  if (why?.kind === 'shutdown') return { kind: 'hand_back' };
  if (why?.kind !== 'withdrawn') return { kind: 'nothing' };
  const cancelled = why.reason === 'cancelled';
  const error: TaskError = cancelled
    ? { code: 'cancelled', message: cancelReason }
    : { code: 'expired', message: 'the task ran out of time' };
  const state = cancelled ? 'cancelled' : 'failed';
  return { kind: 'outcome', status: { ...facts, state, result: null, error }, attempt: null };
}
