// Runs one attempt of a task and says how it ended: with a result, as failed, out of time, or aborted by the worker. Keeps the
// timeout of the attempt and the deadline of the task. Never rejects for anything that a handler does, and answers only when
// the handler has really ended. One that had ended before the abort has its result; what it does after an abort does not count.

import { limits } from '../../domain/limits.ts';
import type { Json, Progress } from '../../domain/task.ts';
import type { EndEvent } from '../../domain/task-machine.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import type { RunFacts } from './handlers/handler.ts';
import { type FailureData, failureOf } from './handlers/handler-failure.ts';
import { readProgress } from './handlers/progress.ts';
import { mustEndAtOnce, RunEnd } from './run-end.ts';

export interface Attempt {
  readonly registry: Pick<HandlerRegistry, 'run'>;
  readonly type: string;
  readonly payload: Json;
  readonly context: RunFacts;
  readonly timeoutMs: number;
  /** Until the deadline of the task, from now on; null: it has none. */
  readonly leftMs?: number | null;
  /** Ends the run from outside; its reason should be a {@link RunEnd}. */
  readonly signal: AbortSignal;
  /** Ends it at once, also while it is ending already for another reason. */
  readonly endNow?: AbortSignal;
  /** Already put right and, for user handlers, thinned out; never called after the end of the run. */
  readonly onProgress: (progress: Progress) => void;
  /** What the handler threw, before that is answered: for the log. */
  readonly onFailure?: (failure: FailureData) => void;
}

export type AttemptResult =
  | (EndEvent & { readonly kind: 'succeeded' | 'failed' | 'timed_out' | 'expired' })
  /** `reason` is that of the caller's signal. */
  | { readonly kind: 'aborted'; readonly reason: unknown };

export async function runAttempt(attempt: Attempt): Promise<AttemptResult> {
  const { signal, endNow, timeoutMs, leftMs = null } = attempt;
  const end = new AbortController();
  const now = new AbortController();
  const onEndNow = () => {
    end.abort(new RunEnd({ kind: 'session_lost' }));
    now.abort(end.signal.reason);
  };
  const onAbort = () => {
    end.abort(signal.reason);
    if (mustEndAtOnce(signal)) onEndNow();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  endNow?.addEventListener('abort', onEndNow, { once: true });
  if (signal.aborted) onAbort();
  if (endNow?.aborted) onEndNow();
  const isLate = leftMs !== null && leftMs <= timeoutMs;
  const outOfTime = new RunEnd(isLate ? { kind: 'expired' } : { kind: 'timed_out', timeoutMs });
  const endsInMs = Math.min(isLate ? leftMs : timeoutMs, limits.timeoutMsMax);
  // timeoutMsMax is below the 2^31 ms that a timer can take; a record made by hand may say more.
  const timer = setTimeout(() => end.abort(outOfTime), endsInMs);
  if (endsInMs <= 0) end.abort(outOfTime);
  try {
    return await runUntil(end.signal, now.signal, attempt);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    endNow?.removeEventListener('abort', onEndNow);
  }
}

async function runUntil(signal: AbortSignal, endNow: AbortSignal, attempt: Attempt): Promise<AttemptResult> {
  let hasEnded = false;
  const progress = (percent: number, message?: string | null) => {
    const read = hasEnded ? null : readProgress(percent, message);
    if (read) attempt.onProgress(read);
  };
  try {
    signal.throwIfAborted();
    const context = { ...attempt.context, signal, endNow, progress };
    const result = await attempt.registry.run(attempt.type, attempt.payload, context);
    return signal.aborted ? abortedResult(signal.reason) : { kind: 'succeeded', result };
  } catch (thrown) {
    if (signal.aborted) return abortedResult(signal.reason);
    const failure = failureOf(thrown);
    attempt.onFailure?.(failure);
    const { code, message, retryable, retryAfterMs } = failure;
    return { kind: 'failed', error: { code, message }, retryable, retryAfterMs };
  } finally {
    hasEnded = true;
  }
}

function abortedResult(reason: unknown): AttemptResult {
  const why = reason instanceof RunEnd ? reason.why.kind : null;
  return why === 'timed_out' || why === 'expired' ? { kind: why } : { kind: 'aborted', reason };
}
