// Bytes that are held for clients who are slow: answers that have not been taken yet, bodies that have not arrived as a whole. What one client may
// have is bounded elsewhere; this bounds all of them together, since there is one memory. Over the bound the one for whom
// bytes have been held longest is let go: whoever reads and sends is done long before.

import { invariant } from '../domain/invariant.ts';
import { serverLimits } from './server-limits.ts';

export interface Hold {
  add(bytes: number): void;
  /** Nothing is held any more; may be called again. */
  end(): void;
}

interface Held extends Hold {
  bytes: number;
  readonly letGo: () => void;
}

export class HeldBytes {
  readonly #max: number;
  /** In the order in which they began. */
  readonly #holds = new Set<Held>();
  #bytes = 0;
  #letGo = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many have been let go since the beginning. */
  get letGo(): number {
    return this.#letGo;
  }

  /** `letGo` is called, once and after its end, where there is too much and nobody has been held for longer. */
  hold(bytes: number, letGo: () => void): Hold {
    const held: Held = {
      bytes: 0,
      letGo,
      add: (more) => {
        if (!this.#holds.has(held)) return;
        held.bytes += more;
        this.#bytes += more;
        while (this.#bytes > this.#max) this.#letOldestGo();
      },
      end: () => {
        if (this.#holds.delete(held)) this.#bytes -= held.bytes;
      },
    };
    this.#holds.add(held);
    held.add(bytes);
    return held;
  }

  #letOldestGo(): void {
    const [oldest] = this.#holds;
    invariant(oldest, 'bytes are held for somebody');
    oldest.end();
    this.#letGo += 1;
    oldest.letGo();
  }
}

/** For the whole process, both faces together. */
export const untakenAnswers = new HeldBytes(serverLimits.untakenBytesMax);
export const unfinishedBodies = new HeldBytes(serverLimits.unfinishedBodyBytesMax);
