// So many at a time and no more; the others wait for their turn, first come first served, and for so long at most.

import { monotonicMs } from '../../runtime/clock.ts';

export class Turns {
  readonly #waiting: (() => void)[] = [];
  readonly #waitMsMax: number;
  readonly #tooLate: () => Error;
  #free: number;

  /** `tooLate` makes what is thrown at whoever has waited for longer than `waitMsMax` when its turn comes. */
  constructor(max: number, waitMsMax: number, tooLate: () => Error) {
    this.#free = max;
    this.#waitMsMax = waitMsMax;
    this.#tooLate = tooLate;
  }

  async take<T>(work: () => T | Promise<T>): Promise<T> {
    const dueAt = monotonicMs() + this.#waitMsMax;
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      if (monotonicMs() > dueAt) throw this.#tooLate();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
