// Where the leading master's admin endpoint is, as `/master` says. A `/master` that a person made, or wrote into, leads as
// well, but what it says is no address of ours: only ours is ephemeral and has version 1.

import { ourMasterVersion } from './election.ts';
import type { Session } from './session.ts';
import { TreeCache } from './tree-cache.ts';
import { paths } from './znode-paths.ts';
import type { Znode } from './zookeeper-requests.ts';

export class LeaderAddress {
  readonly #mirror: TreeCache;
  readonly #onChange: () => void;
  #address: string | null = null;

  /** `onChange` is told when {@link address} is another one. */
  constructor(session: Session, onChange: () => void) {
    this.#onChange = onChange;
    this.#mirror = new TreeCache(session, paths.master, 0, {
      onPresent: (_path, znode) => {
        if (znode) this.#set(addressOf(znode));
      },
      onAbsent: () => this.#set(null),
      onSynced: () => undefined,
    });
  }

  /** `host:port`; null where no master of ours leads. */
  get address(): string | null {
    return this.#address;
  }

  /** Resolves when it is known; rejects when the session ends before. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  #set(address: string | null): void {
    if (address === this.#address) return;
    this.#address = address;
    this.#onChange();
  }
}

const hostAndPort = /^[^\s/?#@]+:\d{1,5}$/;

function addressOf({ data, stat }: Znode): string | null {
  const address = data.toString('utf8');
  const isOurs = stat.ephemeralOwner !== 0n && stat.version === ourMasterVersion;
  return isOurs && hostAndPort.test(address) ? address : null;
}
