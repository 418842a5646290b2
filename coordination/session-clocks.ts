// The timers of a session: when its next heartbeat is due, when its link has been silent for too long, and when it can be trusted no longer. What
// those moments are says its lease; a timer that comes early or late looks there again.

import { monotonicMs } from '../runtime/clock.ts';
import type { SessionLease } from './session-lease.ts';

export interface SessionClocksOptions {
  readonly isConnected: () => boolean;
  /** The lease is to be renewed. */
  readonly onBeat: () => void;
  /** The ensemble's leader has owed an answer for too long: another link is to be tried. */
  readonly onSilent: () => void;
  /** Nobody can tell any more that the session lives. */
  readonly onOver: () => void;
}

export class SessionClocks {
  readonly #lease: SessionLease;
  readonly #options: SessionClocksOptions;
  #heartbeat: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(lease: SessionLease, options: SessionClocksOptions) {
    this.#lease = lease;
    this.#options = options;
  }

  /** With each new link. */
  start(): void {
    this.#beat();
    this.#armExpiry();
  }

  stop(): void {
    clearTimeout(this.#heartbeat);
    clearTimeout(this.#expiry);
  }

  /** Sends a heartbeat or gives up a silent link when that is due, and comes again when the next of the two is. */
  #beat(): void {
    clearTimeout(this.#heartbeat);
    if (!this.#options.isConnected()) return;
    const now = monotonicMs();
    if (now >= this.#lease.silentAt) {
      // Timers run before what has arrived is read: after a pause of our own the answer may be there already.
      setImmediate(() => this.#dropIfSilent());
      return;
    }
    if (now >= this.#lease.heartbeatAt) this.#options.onBeat();
    const { heartbeatAt, silentAt } = this.#lease;
    const waitMs = Math.max(1, Math.ceil(Math.min(heartbeatAt, silentAt) - now));
    this.#heartbeat = setTimeout(() => this.#beat(), waitMs);
  }

  #dropIfSilent(): void {
    if (!this.#options.isConnected()) return;
    if (monotonicMs() < this.#lease.silentAt) this.#beat();
    else this.#options.onSilent();
  }

  #armExpiry(): void {
    clearTimeout(this.#expiry);
    const remaining = this.#lease.trustedUntil - monotonicMs();
    if (remaining <= 0) this.#options.onOver();
    else this.#expiry = setTimeout(() => this.#armExpiry(), Math.ceil(remaining));
  }
}
