// `/backlog`: how many tasks are unfinished, written by the leading master, watched by the gateways, which refuse more
// when there are too many.

import { monotonicMs } from '../runtime/clock.ts';
import { isRefusal } from './coordination-error.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Session } from './session.ts';
import { TreeCache } from './tree-cache.ts';
import { paths } from './znode-paths.ts';
import type { Operation, Znode } from './zookeeper-requests.ts';

export interface Backlog {
  /** Tasks that are not final. */
  readonly unfinished: number;
  /** The same by queue, of the longest ones where there are too many to write down. */
  readonly queues: Readonly<Record<string, number>>;
  /** Tasks that wait (scheduled and queued), of each queue that has a `maxQueued`. */
  readonly waiting: Readonly<Record<string, number>>;
}

export async function writeBacklog(commits: GroupCommit, backlog: Backlog): Promise<void> {
  const data = Buffer.from(JSON.stringify({ v: 1, ...backlog }));
  const path = paths.backlog;
  try {
    await commits.commit([{ kind: 'set', path, data, version: null }]);
  } catch (error) {
    if (!isRefusal(error, 'no_node')) throw error;
    const create: Operation = { kind: 'create', path, data, mode: 'persistent' };
    await commits.commit([create]);
  }
}

/**
 * The backlog as a gateway sees it: the master's count, which may be a second old, and our own submits of the last one
 * to two seconds. (Not all since the last count: a count that has not changed is not written again.)
 */
export class BacklogWatch {
  readonly #mirror: TreeCache;
  #counted = 0;
  #second = 0;
  #submittedNow = 0;
  #submittedBefore = 0;

  constructor(session: Session) {
    this.#mirror = new TreeCache(session, paths.backlog, 0, {
      onPresent: (_path, znode) => {
        if (znode) this.#counted = unfinishedOf(znode);
      },
      onAbsent: () => {
        this.#counted = 0;
      },
      onSynced: () => undefined,
    });
  }

  /** Resolves when it is known; rejects when the session ends before. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  get unfinished(): number {
    this.#turnSecond();
    return this.#counted + this.#submittedNow + this.#submittedBefore;
  }

  countSubmit(): void {
    this.#turnSecond();
    this.#submittedNow += 1;
  }

  #turnSecond(): void {
    const second = Math.floor(monotonicMs() / 1000);
    if (second === this.#second) return;
    this.#submittedBefore = second === this.#second + 1 ? this.#submittedNow : 0;
    this.#submittedNow = 0;
    this.#second = second;
  }
}

/** 0 where there is no backlog to be read: nobody is refused for what nobody knows. */
function unfinishedOf(znode: Znode): number {
  try {
    const value = JSON.parse(znode.data.toString('utf8') || '{}') as { unfinished?: unknown } | null;
    return typeof value?.unfinished === 'number' ? value.unfinished : 0;
  } catch {
    return 0; // a person wrote something else there
  }
}
