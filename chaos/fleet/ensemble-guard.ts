// Whoever runs an ensemble restarts its leader where it hangs, and so does this. ZooKeeper 3.8.0 can hang for good after two of its servers were frozen
// for a moment: one leads, the others follow, all of them say so, and nothing is committed any more, since the leader waits for the
// acknowledgement of a transaction that its followers take for done. That is written down as a fault of the run, a kill of that server.

import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';
import { now } from '../moment.ts';
import type { Fault } from '../record.ts';
import { type EnsembleServer, serversByMode } from './ensemble.ts';
import type { Observer } from './observer.ts';

const lookEveryMs = 1000;
/** An ensemble that is not ill has had time for an election and for a new session by then. */
const hangingMsMax = 8000;
/** Of its faults: no plan has so many. */
const firstNumber = 1_000_001;

export class EnsembleGuard {
  #hangingSince: number | null = null;
  #looking = Promise.resolve();
  #restarts = 0;

  constructor(
    scope: TestScope,
    private readonly servers: readonly EnsembleServer[],
    private readonly observer: Observer,
    private readonly record: (fault: Fault) => void,
  ) {
    const timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, lookEveryMs);
    onCleanup(scope, () => {
      clearInterval(timer);
      return this.#looking;
    });
  }

  /** How often the leader had to be restarted. */
  get restarts(): number {
    return this.#restarts;
  }

  async #look(): Promise<void> {
    const [leader] = this.observer.session ? [] : await this.#leadersThatAreFollowed();
    if (!leader) {
      this.#hangingSince = null;
      return;
    }
    this.#hangingSince ??= now();
    if (now() - this.#hangingSince < hangingMsMax) return;
    this.#hangingSince = null;
    await this.#restart(leader);
  }

  async #leadersThatAreFollowed(): Promise<EnsembleServer[]> {
    const { leader, follower } = await serversByMode(this.servers);
    return follower.length > 0 ? leader : [];
  }

  async #restart({ id, process }: EnsembleServer): Promise<void> {
    const fault = {
      kind: 'fault',
      n: firstNumber + this.#restarts++,
      fault: 'kill',
      targets: [id],
      from: now(),
    } as const;
    this.record({ ...fault, to: null });
    await process.end('SIGKILL');
    process.start();
    this.record({ ...fault, to: now() });
  }
}
