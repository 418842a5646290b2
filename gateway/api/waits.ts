// The requests that wait for a task: how many there are, and when each has to stop (its time is up, its caller is gone,
// or the process stops). A wait that is closed leaves no timer and no listener behind.

import { ServiceError } from '../../domain/errors.ts';

export interface Wait {
  /** Aborts when there is no reason to wait any longer. */
  readonly signal: AbortSignal;
  /** To be called exactly once, also after the signal. */
  close(): void;
}

export class Waits {
  readonly #max: number;
  readonly #open = new Set<() => void>();
  #draining = false;

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#open.size;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** `waitMs` null: until the caller is gone. Throws 'too-many-waits'. AbortSignal.any is not used: on Node 20 it leaks on signals that live long. */
  open(waitMs: number | null, caller: AbortSignal): Wait {
    if (this.#open.size >= this.#max) {
      throw new ServiceError('too-many-waits', `${this.#max} requests are waiting already; ask again without a wait.`);
    }
    const controller = new AbortController();
    // With a reason of its own it makes no exception, whose stack would be dear.
    const end = () => controller.abort('the wait is over');
    const timer = waitMs === null ? undefined : setTimeout(end, waitMs);
    caller.addEventListener('abort', end);
    this.#open.add(end);
    if (this.#draining || caller.aborted) end();
    return {
      signal: controller.signal,
      close: () => {
        clearTimeout(timer);
        caller.removeEventListener('abort', end);
        this.#open.delete(end);
        end();
      },
    };
  }

  /** Ends all waits, and every later one at once. */
  drain(): void {
    this.#draining = true;
    for (const end of this.#open) end();
  }
}
