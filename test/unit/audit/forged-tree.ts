// Trees made up for tests of the audit: every znode with the numbers that a server would give it, and whatever in them that no
// process of ours would write.

import type { SnapshotNode, TreeSnapshot } from '../../../audit/tree-snapshot.ts';
import { defaultTaskOptions, encodeTask } from '../../../coordination/task-record.ts';
import { parentPaths } from '../../../coordination/znode-paths.ts';
import { encodeAssignment, encodeAttempt, encodeStatus, encodeWorker } from '../../../coordination/znode-records.ts';
import type { AssignmentRecord, AttemptRecord, StatusRecord, TaskRecord, WorkerRecord } from '../../../domain/task.ts';

interface Forged {
  data: Buffer;
  czxid: bigint;
  mzxid: bigint;
  pzxid: bigint;
  version: number;
  cversion: number;
  ephemeralOwner: bigint;
  readonly children: Set<string>;
}

/** By the clock of the ensemble, and of everybody. */
export const forgedAt = Date.parse('2026-01-02T03:04:05.000Z');

export class ForgedTree {
  readonly #nodes = new Map<string, Forged>([['', newNode(0n, '', 0n)]]);
  #zxid = 0n;
  #isTogether = false;

  /** With the parents that every process makes. */
  constructor() {
    for (const path of parentPaths) this.create(path);
  }

  /** All that `act` does is one transaction. */
  together(act: () => void): this {
    this.#begin();
    this.#isTogether = true;
    act();
    this.#isTogether = false;
    return this;
  }

  create(path: string, data: string | Buffer = '', ephemeralOwner = 0n): this {
    const [parent, name] = this.#parentOf(path);
    if (parent.children.has(name)) throw new Error(`${path} is there`);
    this.#begin();
    this.#nodes.set(path, newNode(this.#zxid, data, ephemeralOwner));
    parent.children.add(name);
    this.#touch(parent);
    return this;
  }

  set(path: string, data: string | Buffer = ''): this {
    const node = this.#node(path);
    this.#begin();
    node.data = Buffer.from(data);
    node.version += 1;
    node.mzxid = this.#zxid;
    return this;
  }

  remove(path: string): this {
    const [parent, name] = this.#parentOf(path);
    if (this.#node(path).children.size > 0) throw new Error(`${path} has children`);
    this.#begin();
    this.#nodes.delete(path);
    parent.children.delete(name);
    this.#touch(parent);
    return this;
  }

  /** For numbers that would take too many transactions. */
  alter(path: string, change: Partial<Omit<Forged, 'children'>>): this {
    Object.assign(this.#node(path), change);
    return this;
  }

  /** `hidden` may not be read. */
  snapshot(hidden: readonly string[] = []): TreeSnapshot {
    const tree = new Map<string, SnapshotNode>();
    for (const [path, node] of this.#nodes) {
      if (path !== '') tree.set(path, { ...snapshotNode(node), ...(hidden.includes(path) && { isHidden: true }) });
    }
    return tree;
  }

  #begin(): void {
    if (!this.#isTogether) this.#zxid += 1n;
  }

  #touch(parent: Forged): void {
    parent.cversion += 1;
    parent.pzxid = this.#zxid;
  }

  #node(path: string): Forged {
    const node = this.#nodes.get(path);
    if (!node) throw new Error(`there is no ${path}`);
    return node;
  }

  #parentOf(path: string): [Forged, string] {
    const slash = path.lastIndexOf('/');
    return [this.#node(path.slice(0, slash)), path.slice(slash + 1)];
  }
}

function newNode(zxid: bigint, data: string | Buffer, ephemeralOwner: bigint): Forged {
  const zxids = { czxid: zxid, mzxid: zxid, pzxid: zxid };
  return { data: Buffer.from(data), ...zxids, version: 0, cversion: 0, ephemeralOwner, children: new Set() };
}

function snapshotNode({ data, children, ...numbers }: Forged): SnapshotNode {
  const times = { ctime: forgedAt, mtime: forgedAt };
  return { data, stat: { ...numbers, ...times, numChildren: children.size }, children: [...children] };
}

/** Sessions of the master and of the worker of a healthy tree. */
export const sessions = { master: 0x1000n, worker: 0x2000n } as const;

/** A master leads, worker `w1` is registered, and there is nothing to do. */
export function healthyTree(): ForgedTree {
  const tree = new ForgedTree();
  tree.together(() => {
    tree.create('/master', '127.0.0.1:7000', sessions.master).set('/master', '127.0.0.1:7000').set('/epoch', 'm1');
  });
  return register(tree, 'w1');
}

export function register(tree: ForgedTree, id: string, change: Partial<WorkerRecord> = {}): ForgedTree {
  return tree.create(`/assign/${id}`).create(`/workers/${id}`, worker(change), sessions.worker);
}

/** Data as our processes write it. */
export function task(change: Partial<TaskRecord> = {}): Buffer {
  const origin = { submitId: null, submittedAt: forgedAt, idempotencyKey: null, retryOf: null, batch: null };
  return encodeTask({ ...defaultTaskOptions, type: 'echo', ...origin, schedule: null, ...change });
}

const at = { attempt: 1, worker: 'w1', startedAt: forgedAt, finishedAt: forgedAt };

export function status(change: Partial<StatusRecord> = {}): Buffer {
  return encodeStatus({ ...at, state: 'succeeded', result: null, error: null, ...change });
}

/** Of an attempt that another one follows. */
export function attempt(change: Partial<AttemptRecord> = {}): Buffer {
  const error = { code: 'handler_error', message: 'no' } as const;
  return encodeAttempt({ ...at, outcome: 'failed', error, retryAt: forgedAt, ...change });
}

export function assignment(change: Partial<AssignmentRecord> = {}): Buffer {
  return encodeAssignment({ attempt: 1, startedAt: forgedAt, withdraw: null, progress: null, ...change });
}

export function worker(change: Partial<WorkerRecord> = {}): Buffer {
  const record = { address: '127.0.0.1:1', concurrency: 2, types: null, queues: null, draining: false };
  return encodeWorker({ ...record, ...change });
}
