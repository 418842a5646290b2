// What a handler is to the worker: a function from a payload to a result. The context is the one of the contract
// (section 3), the same for built-in handlers and for the modules of HANDLERS_DIR.

import type { Json } from '../../../domain/task.ts';

/** Plain data. Times are RFC 3339 texts, as in the Task resource. */
export interface RunFacts {
  readonly taskId: string;
  /** From 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Grows over the whole system, so that a handler's own database can refuse a late writer. Decimal digits. */
  readonly fencingToken: string;
  readonly queue: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly deadlineAt: string | null;
  /** The schedule that made the task, and the tick that it is for; `at` is null where somebody ran it by hand. */
  readonly schedule: { readonly name: string; readonly at: string | null } | null;
  /** The task that this one runs again. */
  readonly retryOf: string | null;
}

export interface HandlerContext extends RunFacts {
  /** Aborted when the run has to end; its reason says why. */
  readonly signal: AbortSignal;
  /** Aborted, after `signal`, when there is no time left to end in good order. Modules of HANDLERS_DIR do not get it. */
  readonly endNow: AbortSignal;
  /** Percent 0 to 100. Anything else is put right or ignored: progress never fails a run. */
  readonly progress: (percent: number, message?: string | null) => void;
}

/**
 * Settles only when nothing of the run goes on any more. What it rejects with fails the attempt (see
 * handler-failure.ts); after an abort it no longer matters what it settles with.
 */
export type Handler = (payload: Json, context: HandlerContext) => Promise<Json>;
