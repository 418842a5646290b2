// Reads a tree over one session: all of it, bit by bit, while the system goes on, or some znodes of one moment. It writes nothing.
// The whole costs the server about three reads for a finished task, a few hundred of them in a request and two requests at
// a time, so that whoever works beside it waits for no more than that.

import { isRefusal } from '../coordination/coordination-error.ts';
import type { Session } from '../coordination/session.ts';
import { parseTaskPath, paths } from '../coordination/znode-paths.ts';
import type { Znode } from '../coordination/zookeeper-requests.ts';
import { limits } from '../domain/limits.ts';
import { leanData } from './lean-data.ts';
import { isKnownPlace } from './rules/places.ts';
import type { SnapshotNode, TreeSnapshot } from './tree-snapshot.ts';

/**
 * Keys before tasks: both are made and removed together, so a key whose tasks are not among those that are read after it has none.
 */
const roots = [
  paths.idempotency,
  paths.workers,
  paths.assign,
  paths.tasks,
  paths.schedules,
  paths.queues,
  paths.backlog,
  paths.master,
  paths.epoch,
];

const noStat = { czxid: 0n, mzxid: 0n, pzxid: 0n, ctime: 0, mtime: 0, version: 0, cversion: 0 };
const hidden: SnapshotNode = {
  data: Buffer.alloc(0),
  stat: { ...noStat, ephemeralOwner: 0n, numChildren: 0 },
  children: [],
  isHidden: true,
};

/**
 * `keep` says what is kept of the data of tasks: by default large payloads and results are left out. What is below a znode that is none of
 * ours is not read. Throws CoordinationError.
 */
export async function readTree(session: Session, keep: (data: Buffer) => Buffer = leanData): Promise<TreeSnapshot> {
  await session.sync('/');
  const tree = new Map<string, SnapshotNode>();
  for (const root of roots) await new TreeReader(session, tree, keep).readAll(root);
  return tree;
}

/** As they are at one moment; null: there is none. Throws CoordinationError. */
export async function readMoment(
  session: Session,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, SnapshotNode | null>> {
  const seen = wanted.length > 0 ? await session.readTogether(wanted) : [];
  return new Map(wanted.map((path, place) => [path, momentNode(seen[place] ?? null)]));
}

function momentNode(seen: Awaited<ReturnType<Session['readTogether']>>[number]): SnapshotNode | null {
  return seen === 'forbidden' ? hidden : seen;
}

class TreeReader {
  readonly #session: Session;
  readonly #tree: Map<string, SnapshotNode>;
  readonly #keep: (data: Buffer) => Buffer;
  /** Still to be read. */
  readonly #open: string[] = [];
  #inFlight = 0;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(session: Session, tree: Map<string, SnapshotNode>, keep: (data: Buffer) => Buffer) {
    this.#session = session;
    this.#tree = tree;
    this.#keep = keep;
  }

  readAll(root: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#open.push(root);
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#inFlight < limits.readsInFlightMax) {
      const path = this.#open.pop();
      if (path === undefined) break;
      this.#inFlight += 1;
      this.#read(path).then(() => {
        this.#inFlight -= 1;
        this.#pump();
      }, this.#reject);
    }
    if (this.#inFlight === 0) this.#resolve();
  }

  async #read(path: string): Promise<void> {
    const znode = await this.#znode(path);
    if (znode === 'hidden') this.#tree.set(path, hidden);
    if (znode === null || znode === 'hidden') return;
    const { data, stat } = znode;
    const children = await this.#childrenOf(path, znode);
    this.#tree.set(path, { data: this.#keep(data), stat, children });
  }

  async #znode(path: string): Promise<Znode | 'hidden' | null> {
    try {
      return await this.#session.getData(path);
    } catch (error) {
      if (isRefusal(error, 'no_auth')) return 'hidden';
      throw error;
    }
  }

  /** Those that are not read yet are lined up. */
  async #childrenOf(path: string, { stat }: Znode): Promise<readonly string[]> {
    if (stat.numChildren === 0 || !isKnownPlace(path)) return [];
    if (stat.numChildren === 1 && (await this.#readOnlyChild(path, stat.pzxid))) return ['status'];
    const names = (await this.#session.childNames(path)) ?? [];
    for (const name of names) this.#open.push(`${path}/${name}`);
    return names;
  }

  /** The only child of a task is mostly its status: it is, if what made it was the last change of the task's children. */
  async #readOnlyChild(path: string, lastChange: bigint): Promise<boolean> {
    if (parseTaskPath(path)?.kind !== 'task') return false;
    const status = await this.#znode(`${path}/status`);
    if (status === null || status === 'hidden') return false;
    const { data, stat } = status;
    if (stat.czxid !== lastChange || stat.numChildren > 0) return false;
    this.#tree.set(`${path}/status`, { data: this.#keep(data), stat, children: [] });
    return true;
  }
}
