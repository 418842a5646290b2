// Whoever runs an ensemble restarts its leader where it hangs, and so does this. ZooKeeper 3.8.0 can hang for good after two of its servers were frozen
// for a moment: one leads, the others follow, sessions are taken up again, and nothing is committed any more, since the leader waits for the
// acknowledgement of a transaction that its followers take for done. That is written down as a fault of the run, a kill of that server.

import { setTimeout as delay } from 'node:timers/promises';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';
import { now } from '../moment.ts';
import type { Fault } from '../record.ts';
import { type ServerMode, serversByMode } from './ensemble.ts';
import type { FleetProcess } from './fleet-process.ts';

export interface GuardedServer {
  readonly id: string;
  readonly process: Pick<FleetProcess, 'end' | 'start'>;
  mode(): Promise<ServerMode | null>;
}

/** A session, where there is one now. */
export interface GuardEyes {
  readonly session: { sync(path: string): Promise<void> } | null;
}

export interface GuardTimes {
  /** Between two looks, and how long each waits for an answer. */
  readonly lookMs: number;
  /** An ensemble that is not ill has had time for an election and for a new session by then. */
  readonly hangingMsMax: number;
}

const defaultTimes: GuardTimes = { lookMs: 1000, hangingMsMax: 8000 };
/** Of its faults: no plan has so many. */
const firstNumber = 1_000_001;

export class EnsembleGuard {
  #hangingSince: number | null = null;
  #restarts = 0;

  constructor(
    scope: TestScope,
    private readonly servers: readonly GuardedServer[],
    private readonly observer: GuardEyes,
    private readonly record: (fault: Fault) => void,
    private readonly times = defaultTimes,
  ) {
    const ended = new AbortController();
    const watching = this.#watch(ended.signal);
    onCleanup(scope, () => {
      ended.abort();
      return watching;
    });
  }

  /** How often the leader had to be restarted. */
  get restarts(): number {
    return this.#restarts;
  }

  async #watch(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      await this.#look();
      await delay(this.times.lookMs, undefined, { signal: ended }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const leader = (await this.#answers()) ? null : await this.#followedLeader();
    if (!leader) {
      this.#hangingSince = null;
      return;
    }
    this.#hangingSince ??= now();
    if (now() - this.#hangingSince < this.times.hangingMsMax) return;
    this.#hangingSince = null;
    await this.#restart(leader);
  }

  /** The leader answers a sync once everything before it is committed. */
  async #answers(): Promise<boolean> {
    const synced = this.observer.session?.sync('/').then(
      () => true,
      () => false,
    );
    return await Promise.race([synced ?? false, delay(this.times.lookMs, false)]);
  }

  async #followedLeader(): Promise<GuardedServer | null> {
    const { leader, follower } = await serversByMode(this.servers);
    return (follower.length > 0 && leader[0]) || null;
  }

  async #restart({ id, process }: GuardedServer): Promise<void> {
    const n = firstNumber + this.#restarts++;
    const fault = { kind: 'fault', n, fault: 'kill', targets: [id], from: now() } as const;
    this.record({ ...fault, to: null });
    await process.end('SIGKILL');
    process.start();
    this.record({ ...fault, to: now() });
  }
}
