// A `sync` that all share who ask for one at about the same time, so that a flood of reads of what is not there costs the
// leader one at a time.

import type { Session } from './session.ts';

export class SharedSync {
  readonly #session: Session;
  /** Was sent already, so it proves nothing to who asks now; never rejects. */
  #sent: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Afterwards reads see everything that was committed before the call. Throws CoordinationError. */
  sync(): Promise<void> {
    this.#next ??= this.#afterSent();
    return this.#next;
  }

  async #afterSent(): Promise<void> {
    await this.#sent;
    this.#next = null;
    const sync = this.#session.sync('/');
    this.#sent = sync.catch(() => undefined);
    await sync;
  }
}
