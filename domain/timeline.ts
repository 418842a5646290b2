// Things that have a time each, the earliest first: alarms that go off, waits that began. A time that is not that of its
// thing any more is idle; it is dropped when it comes to the top, and tidied away when the idle ones outnumber the others.
// Pure.

import { Heap } from './heap.ts';

interface Timed<T> {
  readonly at: number;
  readonly thing: T;
}

/** Idle ones, beside as many as there are things twice over, that are not worth tidying up for. */
const spareTimes = 1024;

export class Timeline<T> {
  readonly #heap = new Heap<Timed<T>>((a, b) => a.at < b.at);
  readonly #isWanted: (thing: T, at: number) => boolean;

  constructor(isWanted: (thing: T, at: number) => boolean) {
    this.#isWanted = isWanted;
  }

  /** The idle ones included. */
  get size(): number {
    return this.#heap.size;
  }

  /** When the earliest is, epoch ms; null where there is none. */
  get nextAt(): number | null {
    return this.earliest()?.at ?? null;
  }

  /** `things` is how many there are at most that may have one each. */
  set(thing: T, at: number, things: number): void {
    this.#heap.push({ at, thing });
    if (this.#heap.size > 2 * things + spareTimes) this.#heap.retain((timed) => this.#isWanted(timed.thing, timed.at));
  }

  /** The earliest that is not idle, left where it is. */
  earliest(): Timed<T> | null {
    for (let timed = this.#heap.peek(); timed; timed = this.#heap.peek()) {
      if (this.#isWanted(timed.thing, timed.at)) return timed;
      this.#heap.pop();
    }
    return null;
  }

  /** The earliest that is due at `now`, taken out; null where none is. */
  takeDue(now: number): Timed<T> | null {
    const timed = this.earliest();
    if (!timed || timed.at > now) return null;
    this.#heap.pop();
    return timed;
  }
}
