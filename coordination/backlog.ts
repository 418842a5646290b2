// `/backlog`: how many tasks are unfinished, written by the leading master, watched by the gateways, which refuse more
// when there are too many.

import type { BacklogCounts } from '../domain/backlog-counts.ts';
import type { Json } from '../domain/task.ts';
import { UncountedSubmits } from '../domain/uncounted-submits.ts';
import { isRefusal } from './coordination-error.ts';
import type { GroupCommit } from './group-commit.ts';
import { isObject, newerVersion, parseObject } from './record-json.ts';
import type { Session } from './session.ts';
import { TreeCache } from './tree-cache.ts';
import { paths } from './znode-paths.ts';
import type { Operation, Znode } from './zookeeper-requests.ts';

export interface Backlog extends BacklogCounts {
  /** Every task with a lower number is counted. */
  readonly next: number;
}

/** Resolves with when that was, by the ensemble's clock, epoch ms; null where it does not say. */
export async function writeBacklog(commits: GroupCommit, backlog: Backlog): Promise<number | null> {
  const data = Buffer.from(JSON.stringify({ v: 1, ...backlog }));
  const path = paths.backlog;
  try {
    const [written] = await commits.commit([{ kind: 'set', path, data, version: null }]);
    return written?.stat?.mtime ?? null;
  } catch (error) {
    if (!isRefusal(error, 'no_node')) throw error;
    const create: Operation = { kind: 'create', path, data, mode: 'persistent' };
    await commits.commit([create]);
    return null;
  }
}

/** The backlog as a gateway sees it: the master's count, which may be a second old, and those of our own submits that are not in it. */
export class BacklogWatch {
  readonly #mirror: TreeCache;
  #counted: Counts = nothingCounted;
  /** Of the count that is known; the same may be told again after a reconnect. */
  #mzxid = 0n;
  /** Our own submits are to be told here. */
  readonly own = new UncountedSubmits();

  /** `onCount` is told of each count of the master that arrives, and below which number it has every task. */
  constructor(session: Session, onCount: (next: number) => void = () => undefined) {
    this.#mirror = new TreeCache(session, paths.backlog, 0, {
      onPresent: (_path, znode) => {
        if (!znode || znode.stat.mzxid === this.#mzxid) return;
        this.#mzxid = znode.stat.mzxid;
        this.#counted = readCounts(znode);
        this.own.counted(this.#counted.next);
        onCount(this.#counted.next);
      },
      onAbsent: () => {
        this.#counted = nothingCounted;
      },
      onSynced: () => undefined,
    });
  }

  /** Resolves when it is known; rejects when the session ends before. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  get unfinished(): number {
    return this.#counted.unfinished + this.own.size;
  }

  /** The master's count of the tasks of a queue that wait; 0 where it counts none. */
  waitingIn(queue: string): number {
    return Object.hasOwn(this.#counted.waiting, queue) ? (this.#counted.waiting[queue] ?? 0) : 0;
  }
}

type Counts = Pick<Backlog, 'unfinished' | 'waiting' | 'next'>;

const nothingCounted: Counts = { unfinished: 0, waiting: {}, next: 0 };

/** Nothing where there is no backlog to be read: nobody is refused for what nobody knows. */
function readCounts({ data }: Znode): Counts {
  const read = parseObject(data.toString('utf8'));
  const object = newerVersion(read) === null ? read : null;
  const { unfinished, waiting, next } = { ...nothingCounted, next: null, ...object } as Record<string, Json>;
  const counts = Object.entries(isObject(waiting) ? waiting : {});
  return {
    unfinished: typeof unfinished === 'number' ? unfinished : 0,
    waiting: Object.fromEntries(counts.filter((entry): entry is [string, number] => typeof entry[1] === 'number')),
    // A master that does not say has counted all there was.
    next: typeof next === 'number' ? next : Number.POSITIVE_INFINITY,
  };
}
