// Ends one run from outside: asked for by whoever holds its assignment, kept to by who runs it. Most runs are never ended, and
// most handlers never ask whether theirs is: an AbortSignal is made when a handler first looks at it, and the error that it
// aborts with only then, since both cost more than all else that a quick task needs of the worker.

import { RunEnd, type RunEndCause } from './run-end.ts';

export class RunStop {
  #why: RunEndCause | null = null;
  #isAtOnce = false;
  #isOver = false;
  #reason: RunEnd | null = null;
  #end: AbortController | null = null;
  #endNow: AbortController | null = null;

  /** The first reason; null: the run may go on. */
  get why(): RunEndCause | null {
    return this.#why;
  }

  /** Aborts with a {@link RunEnd} of the first reason. */
  get signal(): AbortSignal {
    this.#end ??= new AbortController();
    this.#tell();
    return this.#end.signal;
  }

  /**
   * Aborts, after `signal`, once the session is lost, since another worker may then be given the task any moment. A signal
   * of its own: the other keeps its first reason, and a run that is ending in good order has then to end at once.
   */
  get endNow(): AbortSignal {
    this.#endNow ??= new AbortController();
    this.#tell();
    return this.#endNow.signal;
  }

  stop(why: RunEndCause): void {
    this.#why ??= why;
    if (why.kind === 'session_lost') this.#isAtOnce = true;
    if (!this.#isOver) this.#tell();
  }

  /** The run has ended by itself or otherwise: nobody is told of a stop any more, though whoever asks is answered. */
  over(): void {
    this.#isOver = true;
  }

  /** A signal that has been aborted stays as it is. */
  #tell(): void {
    if (this.#why === null || (!this.#end && !this.#endNow)) return;
    this.#reason ??= new RunEnd(this.#why);
    this.#end?.abort(this.#reason);
    if (this.#isAtOnce) this.#endNow?.abort(this.#reason);
  }
}
