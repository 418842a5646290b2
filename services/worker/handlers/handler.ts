// What a handler is to the worker: a function from a payload to a result. The context is the one of the contract
// (section 3), the same for built-in handlers and for the modules of HANDLERS_DIR.

import type { Json } from '../../../domain/task.ts';

export interface HandlerContext {
  readonly taskId: string;
  /** From 1. */
  readonly attempt: number;
  /** Grows over the whole system, so that a handler's own database can refuse a late writer. Decimal digits. */
  readonly fencingToken: string;
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
