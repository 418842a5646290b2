// Keeps a guardian process (guardian-process.ts) beside the worker for as long as shell commands may run, starts a new one
// when it dies, and passes the lease on to it: the time, by the monotonic clock, until which the worker's session can be
// trusted. Before the first lease there is no limit.

import { monotonicMs } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { GuardianLink, type OnKilled } from './guardian-link.ts';
import { handlerLimits } from './handler-limits.ts';

/** A command's process group under guard. */
export interface Guarded {
  /** To be called once the whole group has ended, at once: its number may then go to somebody else. */
  readonly release: () => void;
}

export class Guardian {
  readonly #log: Log;
  #link: GuardianLink | null = null;
  #isClosed = false;
  #leaseUntilMs = Number.POSITIVE_INFINITY;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #toldUntilMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Starts the process now, so that the first command need not wait for it. */
  start(): void {
    this.#openLink();
  }

  /** The present process, for tests and for the log. */
  get processId(): number | null {
    return this.#link?.processId ?? null;
  }

  /** The group may begin when this resolves and `onKilled` was not called. Rejects when the guardian died meanwhile. */
  async guard(group: number, onKilled: OnKilled): Promise<Guarded> {
    const link = this.#openLink();
    await link.add(group, onKilled);
    return { release: () => link.remove(group) };
  }

  /** Everything under guard is killed at `untilMs` (monotonicMs) unless this is called again before. */
  renewLease(untilMs: number): void {
    this.#leaseUntilMs = untilMs;
    const now = monotonicMs();
    const waitMs = this.#toldAtMs + handlerLimits.guardianLeaseIntervalMs - now;
    const isUrgent = untilMs < this.#toldUntilMs || this.#toldUntilMs - now < 2 * handlerLimits.guardianLeaseIntervalMs;
    if (isUrgent || waitMs <= 0) this.#tellLease();
    else this.#timer ??= setTimeout(() => this.#tellLease(), waitMs).unref();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#link?.close();
  }

  #tellLease(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#toldAtMs = monotonicMs();
    this.#toldUntilMs = this.#leaseUntilMs;
    this.#link?.renewLease(this.#leaseUntilMs);
  }

  #openLink(): GuardianLink {
    if (this.#isClosed) throw new Error('the guardian is closed');
    if (this.#link && !this.#link.hasEnded) return this.#link;
    const link = new GuardianLink();
    link.renewLease(this.#leaseUntilMs);
    void link.ended.then(() => {
      if (!this.#isClosed) this.#log.error('the guardian of shell commands died; its commands were killed');
    });
    this.#link = link;
    return link;
  }
}
