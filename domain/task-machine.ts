// What each event that ends the waiting or the run of a task leaves behind: the record of the attempt, the status of the task,
// or both. Masters and workers make these records here and nowhere else, so that an outcome looks the same whoever writes it.
// The state of the task then follows from what is in the tree (task-view.ts); task-transitions.ts has it all as a table. Pure.

import { limits } from './limits.ts';
import { nextRetryAt, type RetryPolicy } from './retry.ts';
import type { AttemptOutcome, AttemptRecord, FinalState, Json, StatusRecord, TaskError } from './task.ts';
import { cutText } from './well-formed.ts';

/** What happened. `byForce`: the worker did not end the run when it was told to, and may still be at it. */
export type EndEvent =
  | { readonly kind: 'succeeded'; readonly result: Json }
  | {
      readonly kind: 'failed';
      readonly error: TaskError;
      readonly retryable: boolean;
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: 'timed_out'; readonly byForce?: boolean }
  /** `lostBefore`: attempts before it that ended in the same way. `cancel`: the reason of a request to cancel, if there is one. */
  | { readonly kind: 'worker_lost'; readonly lostBefore: number; readonly cancel: string | null }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'expired'; readonly byForce?: boolean }
  | { readonly kind: 'dependency_failed'; readonly message: string }
  | { readonly kind: 'invalid_task'; readonly why: string };

/** Where the task was when it happened. Times in epoch ms. */
export interface Moment {
  /** The number of the run; of a task that waits, that of its last one, 0 before the first. */
  readonly attempt: number;
  /** Null: it was not running. */
  readonly worker: string | null;
  readonly startedAt: number | null;
  readonly finishedAt: number;
}

/** Of a task's record what its end depends on. */
export interface TaskTerms extends RetryPolicy {
  readonly timeoutMs: number;
}

export interface EndRecords {
  /** Null: the task goes on, with another attempt. */
  readonly status: StatusRecord | null;
  /** Null: no run, or one that the status alone tells of. */
  readonly attempt: AttemptRecord | null;
}

/** `terms` is null for what is no task; `random` in [0, 1) is for the jitter. */
export function recordsOf(event: EndEvent, at: Moment, terms: TaskTerms | null, random: number): EndRecords {
  switch (event.kind) {
    case 'succeeded':
      return { status: statusOf(at, 'succeeded', event.result, null), attempt: null };
    case 'failed':
    case 'timed_out':
    case 'worker_lost':
      return attemptEnded(event, at, terms, random);
    case 'expired': {
      const error = errorOf(event, at, terms);
      const attempt = at.worker === null ? null : attemptRecord(at, 'timed_out', error, null);
      return { status: finalStatus(at, 'failed', error), attempt };
    }
    case 'cancelled':
      return { status: finalStatus(at, 'cancelled', errorOf(event, at, terms)), attempt: null };
    case 'dependency_failed':
    case 'invalid_task':
      return { status: finalStatus(at, 'failed', errorOf(event, at, terms)), attempt: null };
  }
}

type AttemptEvent = EndEvent & { readonly kind: 'failed' | 'timed_out' | 'worker_lost' };

const outcomes = { failed: 'failed', timed_out: 'timed_out', worker_lost: 'lost' } as const;

/** The attempt counts; the task ends with it where no other follows. A worker's loss is no fault of the task's: no pause. */
function attemptEnded(event: AttemptEvent, at: Moment, terms: TaskTerms | null, random: number): EndRecords {
  const error = errorOf(event, at, terms);
  const cancel = event.kind === 'worker_lost' ? event.cancel : null;
  const wish =
    event.kind === 'failed' ? event : { retryable: true, retryAfterMs: event.kind === 'worker_lost' ? 0 : null };
  const retryAt = terms && cancel === null ? nextRetryAt(terms, { ...wish, ...at }, random) : null;
  const attempt = attemptRecord(at, outcomes[event.kind], error, retryAt);
  if (cancel !== null) return { ...recordsOf({ kind: 'cancelled', reason: cancel }, at, terms, random), attempt };
  if (retryAt !== null) return { status: null, attempt };
  const isTooLate = terms !== null && nextRetryAt({ ...terms, deadlineAt: null }, { ...wish, ...at }, random) !== null;
  const message = event.kind === 'worker_lost' ? finalLoss(event, at, error) : error.message;
  return { status: finalStatus(at, 'failed', { ...error, message: isTooLate ? tooLate(message) : message }), attempt };
}

const noFurtherAttempt = '; no further attempt, since its deadline comes first';

/** Why there is no other, since attempts are left. */
function tooLate(message: string): string {
  return cutText(message, limits.errorMessageCharactersMax - noFurtherAttempt.length) + noFurtherAttempt;
}

function finalStatus(at: Moment, state: FinalState, error: TaskError): StatusRecord {
  return statusOf(at, state, null, error);
}

/** Each by its name, as there is one for every task: V8 is several times slower with a spread that others follow. */
function statusOf(at: Moment, state: FinalState, result: Json, error: TaskError | null): StatusRecord {
  const { attempt, worker, startedAt, finishedAt } = at;
  return { attempt, worker, startedAt, finishedAt, state, result, error };
}

function attemptRecord(at: Moment, outcome: AttemptOutcome, error: TaskError, retryAt: number | null): AttemptRecord {
  return { ...at, outcome, error, retryAt };
}

function errorOf(event: Exclude<EndEvent, { kind: 'succeeded' }>, at: Moment, terms: TaskTerms | null): TaskError {
  switch (event.kind) {
    case 'failed':
      return event.error;
    case 'timed_out': {
      const late = `the attempt took longer than its timeout of ${terms?.timeoutMs} ms`;
      return { code: 'timeout', message: event.byForce ? `${late}, ${forced(at)}` : late };
    }
    case 'worker_lost': {
      const message = `worker ${at.worker} was lost during attempt ${at.attempt} of ${terms?.maxAttempts ?? 1}`;
      return { code: 'worker_lost', message };
    }
    case 'cancelled':
      return { code: 'cancelled', message: event.reason };
    case 'expired': {
      const where = at.worker === null ? 'while it waited' : `during attempt ${at.attempt}`;
      const late = `the deadline of the task passed ${where}`;
      return { code: 'expired', message: event.byForce ? `${late}, ${forced(at)}` : late };
    }
    case 'dependency_failed':
      return { code: 'dependency_failed', message: event.message };
    case 'invalid_task':
      return { code: 'invalid_task', message: `this is no task of ours: ${event.why}` };
  }
}

function forced({ worker }: Moment): string {
  return `and worker ${worker} did not end it when it was told to: it may still be at it`;
}

/** A task that kills its workers is told from one that had bad luck. */
function finalLoss({ lostBefore }: { lostBefore: number }, { attempt }: Moment, { message }: TaskError): string {
  const isEach = attempt > 1 && lostBefore === attempt - 1;
  return isEach ? `${message}; each of its attempts lost its worker: it may be the task that kills them` : message;
}
