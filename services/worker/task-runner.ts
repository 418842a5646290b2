// Runs one attempt of a task and says how it ended: with a result, as failed, out of time, or aborted by the worker. Keeps the
// timeout of the attempt and the deadline of the task. Never rejects for anything that a handler does, and answers only when
// the handler has really ended. One that had ended before the abort has its result; what it does after an abort does not count.

import { limits } from '../../domain/limits.ts';
import type { Json, Progress } from '../../domain/task.ts';
import type { EndEvent } from '../../domain/task-machine.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import type { HandlerContext, RunFacts } from './handlers/handler.ts';
import { type FailureData, failureOf } from './handlers/handler-failure.ts';
import { readProgress } from './handlers/progress.ts';
import type { RunEndCause } from './run-end.ts';
import type { RunStop } from './run-stop.ts';

export interface Attempt {
  readonly registry: Pick<HandlerRegistry, 'run'>;
  readonly type: string;
  readonly payload: Json;
  readonly context: RunFacts;
  readonly timeoutMs: number;
  /** Until the deadline of the task, from now on; null: it has none. */
  readonly leftMs?: number | null;
  /** Ends the run; this one's own, since running out of time ends it here too. */
  readonly runStop: RunStop;
  /** Already put right and, for user handlers, thinned out; never called after the end of the run. */
  readonly onProgress: (progress: Progress) => void;
  /** What the handler threw, before that is answered: for the log. */
  readonly onFailure?: (failure: FailureData) => void;
}

export type AttemptResult =
  | (EndEvent & { readonly kind: 'succeeded' | 'failed' | 'timed_out' | 'expired' })
  /** By the caller. */
  | { readonly kind: 'aborted'; readonly why: RunEndCause };

export async function runAttempt(attempt: Attempt): Promise<AttemptResult> {
  const { runStop, timeoutMs, leftMs = null } = attempt;
  const isLate = leftMs !== null && leftMs <= timeoutMs;
  const endsInMs = Math.min(isLate ? leftMs : timeoutMs, limits.timeoutMsMax);
  const onOutOfTime = () => runStop.stop(isLate ? { kind: 'expired' } : { kind: 'timed_out', timeoutMs });
  if (endsInMs <= 0) onOutOfTime();
  // timeoutMsMax is below the 2^31 ms that a timer can take; a record made by hand may say more.
  const timer = setTimeout(onOutOfTime, endsInMs);
  try {
    return await runUntilStopped(attempt);
  } finally {
    clearTimeout(timer);
    runStop.over(); // its outcome takes the assignment away, which is no news for a handler that has ended
  }
}

async function runUntilStopped(attempt: Attempt): Promise<AttemptResult> {
  const { registry, type, payload, runStop } = attempt;
  if (runStop.why) return stoppedResult(runStop.why);
  let hasEnded = false;
  const progress = (percent: number, message?: string | null) => {
    const read = hasEnded ? null : readProgress(percent, message);
    if (read) attempt.onProgress(read);
  };
  try {
    const result = await registry.run(type, payload, new AttemptContext(attempt, progress));
    return runStop.why ? stoppedResult(runStop.why) : { kind: 'succeeded', result };
  } catch (thrown) {
    if (runStop.why) return stoppedResult(runStop.why);
    const failure = failureOf(thrown);
    attempt.onFailure?.(failure);
    const { code, message, retryable, retryAfterMs } = failure;
    return { kind: 'failed', error: { code, message }, retryable, retryAfterMs };
  } finally {
    hasEnded = true;
  }
}

/** The signals are made when they are first looked at: most handlers never do. A class, as a literal with getters is slow to make. */
class AttemptContext implements HandlerContext {
  readonly taskId: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly fencingToken: string;
  readonly queue: string;
  readonly labels: RunFacts['labels'];
  readonly deadlineAt: string | null;
  readonly schedule: RunFacts['schedule'];
  readonly retryOf: string | null;
  readonly progress: HandlerContext['progress'];
  readonly #runStop: RunStop;

  constructor({ context, runStop }: Attempt, progress: HandlerContext['progress']) {
    this.taskId = context.taskId;
    this.attempt = context.attempt;
    this.maxAttempts = context.maxAttempts;
    this.fencingToken = context.fencingToken;
    this.queue = context.queue;
    this.labels = context.labels;
    this.deadlineAt = context.deadlineAt;
    this.schedule = context.schedule;
    this.retryOf = context.retryOf;
    this.progress = progress;
    this.#runStop = runStop;
  }

  get signal(): AbortSignal {
    return this.#runStop.signal;
  }

  get endNow(): AbortSignal {
    return this.#runStop.endNow;
  }
}

function stoppedResult(why: RunEndCause): AttemptResult {
  return why.kind === 'timed_out' || why.kind === 'expired' ? { kind: why.kind } : { kind: 'aborted', why };
}
