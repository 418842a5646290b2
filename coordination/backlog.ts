// `/backlog`: how many tasks are unfinished, written by the leading master, watched by the gateways, which refuse more
// when there are too many.

import { monotonicMs } from '../runtime/clock.ts';
import { isRefusal } from './coordination-error.ts';
import type { GroupCommit } from './group-commit.ts';
import { isObject, parseObject } from './record-json.ts';
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
  #counted: Pick<Backlog, 'unfinished' | 'waiting'> = nothingCounted;
  #second = 0;
  #submittedNow = 0;
  #submittedBefore = 0;

  /** `onCount` is told of each count of the master that arrives. */
  constructor(session: Session, onCount: () => void = () => undefined) {
    this.#mirror = new TreeCache(session, paths.backlog, 0, {
      onPresent: (_path, znode) => {
        if (!znode) return;
        this.#counted = readCounts(znode);
        onCount();
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
    this.#turnSecond();
    return this.#counted.unfinished + this.#submittedNow + this.#submittedBefore;
  }

  /** The master's count of the tasks of a queue that wait; 0 where it counts none. */
  waitingIn(queue: string): number {
    return Object.hasOwn(this.#counted.waiting, queue) ? (this.#counted.waiting[queue] ?? 0) : 0;
  }

  countSubmit(tasks = 1): void {
    this.#turnSecond();
    this.#submittedNow += tasks;
  }

  #turnSecond(): void {
    const second = Math.floor(monotonicMs() / 1000);
    if (second === this.#second) return;
    this.#submittedBefore = second === this.#second + 1 ? this.#submittedNow : 0;
    this.#submittedNow = 0;
    this.#second = second;
  }
}

const nothingCounted = { unfinished: 0, waiting: {} };

/** Nothing where there is no backlog to be read: nobody is refused for what nobody knows. */
function readCounts({ data }: Znode): Pick<Backlog, 'unfinished' | 'waiting'> {
  const object = parseObject(data.toString('utf8'));
  const { unfinished, waiting } = { unfinished: object?.['unfinished'], waiting: object?.['waiting'] };
  const counts = Object.entries(isObject(waiting) ? waiting : {});
  return {
    unfinished: typeof unfinished === 'number' ? unfinished : 0,
    waiting: Object.fromEntries(counts.filter((entry): entry is [string, number] => typeof entry[1] === 'number')),
  };
}
