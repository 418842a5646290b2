// One direction of one proxied connection: what came in waits here until it may go out. A silent lane holds everything,
// the end of the stream too, exactly as a link does that drops all packets: nobody learns of anything, and if the link
// comes back before somebody gives up, TCP delivers what was held.

import type { Socket } from 'node:net';

type Item = { readonly bytes: Buffer | null; readonly dueAt: number };

export class FaultLane {
  #queue: Item[] = [];
  #silent = false;
  #delayMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly target: Socket) {}

  /** Null ends the stream. */
  send(bytes: Buffer | null): void {
    this.#queue.push({ bytes, dueAt: performance.now() + this.#delayMs });
    this.#flush();
  }

  setSilent(silent: boolean): void {
    this.#silent = silent;
    this.#flush();
  }

  setDelay(ms: number): void {
    this.#delayMs = ms;
  }

  destroy(): void {
    this.#queue = [];
    if (this.#timer) clearTimeout(this.#timer);
  }

  #flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    while (!this.#silent && this.#queue[0]) {
      const waitMs = this.#queue[0].dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#flush(), Math.ceil(waitMs));
        return;
      }
      this.#deliver(this.#queue.shift());
    }
  }

  #deliver(item: Item | undefined): void {
    if (!item || this.target.destroyed) return;
    if (item.bytes === null) this.target.end();
    else this.target.write(item.bytes);
  }
}
