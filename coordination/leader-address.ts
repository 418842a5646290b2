// Where the leading master's admin endpoint is, as `/master` says. A `/master` that a person made, or wrote into, leads as
// well, but what it says is no address of ours: only ours is ephemeral and has version 1.

import { ourMasterVersion } from './election.ts';
import type { Session } from './session.ts';
import { TreeCache } from './tree-cache.ts';
import { paths } from './znode-paths.ts';
import type { Znode } from './zookeeper-requests.ts';

/** Who holds `/master`. */
export type Leader =
  /** `host:port` of its admin endpoint. */
  | { readonly kind: 'ours'; readonly address: string }
  /** Somebody else's, made then by the ensemble's clock, epoch ms. */
  | { readonly kind: 'stranger'; readonly since: number }
  | { readonly kind: 'nobody' };

const nobody: Leader = { kind: 'nobody' };

export class LeaderAddress {
  readonly #mirror: TreeCache;
  readonly #onChange: () => void;
  #leader: Leader = nobody;

  /** `onChange` is told when {@link leader} is another one. */
  constructor(session: Session, onChange: () => void) {
    this.#onChange = onChange;
    this.#mirror = new TreeCache(session, paths.master, 0, {
      onPresent: (_path, znode) => {
        if (znode) this.#set(leaderOf(znode));
      },
      onAbsent: () => this.#set(nobody),
      onSynced: () => undefined,
    });
  }

  get leader(): Leader {
    return this.#leader;
  }

  /** `host:port`; null where no master of ours leads. */
  get address(): string | null {
    return this.#leader.kind === 'ours' ? this.#leader.address : null;
  }

  /** Resolves when it is known; rejects when the session ends before. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  #set(leader: Leader): void {
    const before = this.#leader;
    this.#leader = leader;
    const isSame = before.kind === 'ours' && leader.kind === 'ours' && before.address === leader.address;
    if (!isSame) this.#onChange();
  }
}

const hostAndPort = /^[^\s/?#@]+:\d{1,5}$/;

/** As its znode says. */
export function leaderOf({ data, stat }: Znode): Leader {
  const address = data.toString('utf8');
  const isOurs = stat.ephemeralOwner !== 0n && stat.version === ourMasterVersion;
  return isOurs && hostAndPort.test(address) ? { kind: 'ours', address } : { kind: 'stranger', since: stat.ctime };
}
