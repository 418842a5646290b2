// How a run is to be recorded, from how it ended: as what the machine of the task's life makes of it, as handed back without
// having counted, or not at all. Pure but for the types.

import type { TaskRecord } from '../../domain/task.ts';
import { type EndEvent, type EndRecords, type Moment, recordsOf } from '../../domain/task-machine.ts';
import { deadlineOf } from '../../domain/task-view.ts';
import type { RunEndCause } from './run-end.ts';
import type { AttemptResult } from './task-runner.ts';

export type Ending =
  | ({ readonly kind: 'outcome' } & EndRecords)
  | { readonly kind: 'hand_back' }
  | { readonly kind: 'nothing' };

/** `cancelReason` is what was given with the request to cancel; `random` in [0, 1) is for the jitter. */
export function endingOf(
  result: AttemptResult,
  record: TaskRecord,
  at: Moment,
  cancelReason: string,
  random: number,
): Ending {
  const event = result.kind === 'aborted' ? eventOf(result.why, cancelReason) : result;
  if (event === 'hand_back' || event === 'nothing') return { kind: event };
  const deadlineAt = deadlineOf(record);
  const ended = event.kind === 'expired' ? notBefore(deadlineAt, at) : at;
  const { timeoutMs, maxAttempts, backoff } = record;
  return outcomeOf(recordsOf(event, ended, { timeoutMs, maxAttempts, backoff, deadlineAt }, random));
}

function outcomeOf({ status, attempt }: EndRecords): Ending {
  return { kind: 'outcome', status, attempt };
}

/**
 * What passed between the start that the assignment says and our first sight of it is in no time of ours; so the mark of a
 * master, or a timer, may tell of a deadline some milliseconds before it has passed as we count.
 */
function notBefore(deadlineAt: number | null, at: Moment): Moment {
  return { ...at, finishedAt: Math.max(at.finishedAt, deadlineAt ?? at.finishedAt) };
}

/** In place of a result that no packet to ZooKeeper can carry. */
export function tooLargeResult(result: AttemptResult): AttemptResult {
  if (result.kind !== 'succeeded') return result;
  const error = { code: 'invalid_result', message: 'the result is too large to be kept in ZooKeeper' } as const;
  return { kind: 'failed', error, retryable: true, retryAfterMs: null };
}

/** The data of the task is no task of ours: it ends as failed without having run. */
export function invalidTaskEnding(why: string, at: Moment): Ending {
  return outcomeOf(recordsOf({ kind: 'invalid_task', why }, at, null, 0));
}

/** Of a run that was ended from outside. */
function eventOf(why: RunEndCause, cancelReason: string): EndEvent | 'hand_back' | 'nothing' {
  if (why.kind === 'shutdown') return 'hand_back';
  if (why.kind !== 'withdrawn') return 'nothing';
  return why.reason === 'cancelled' ? { kind: 'cancelled', reason: cancelReason } : { kind: why.reason };
}
