// A tree made up transaction by transaction, with the records that masters, workers and gateways write. For tests of the judge.

import type { SnapshotNode, TreeSnapshot } from '../../../audit/tree-snapshot.ts';
import type { Stat } from '../../../coordination/jute.ts';
import { parentPaths, paths } from '../../../coordination/znode-paths.ts';

interface Node {
  data: Buffer;
  stat: { -readonly [name in keyof Stat]: Stat[name] };
  children: string[];
}

export class MadeUpTree {
  zxid = 100n;
  readonly #nodes = new Map<string, Node>();

  constructor() {
    for (const path of parentPaths) this.create(path, '', 0);
    this.begin();
    this.create(paths.master, '127.0.0.1:1', 0, 1n);
    this.set(paths.master, '127.0.0.1:1');
    this.set(paths.epoch, 'master1');
  }

  get snapshot(): TreeSnapshot {
    return this.#nodes satisfies ReadonlyMap<string, SnapshotNode>;
  }

  /** A transaction of its own from here on. */
  begin(): bigint {
    this.zxid += 1n;
    return this.zxid;
  }

  /** In the present transaction. */
  create(path: string, data: Buffer | string, at: number, ephemeralOwner = 0n): void {
    const { zxid } = this;
    const times = { ctime: at, mtime: at, czxid: zxid, mzxid: zxid, pzxid: zxid };
    const stat = { ...times, version: 0, cversion: 0, ephemeralOwner, numChildren: 0 };
    this.#nodes.set(path, { data: Buffer.from(data), stat, children: [] });
    this.#change(path, (children, name) => children.push(name));
  }

  set(path: string, data: Buffer | string): void {
    const node = this.#node(path);
    node.data = Buffer.from(data);
    node.stat.version += 1;
    node.stat.mzxid = this.zxid;
  }

  /** With all that is below it. */
  remove(path: string): void {
    for (const name of [...this.#node(path).children]) this.remove(`${path}/${name}`);
    this.#nodes.delete(path);
    this.#change(path, (children, name) => children.splice(children.indexOf(name), 1));
  }

  /** As no program does: what a test forges. */
  forge(path: string, change: Partial<Stat>): void {
    Object.assign(this.#node(path).stat, change);
  }

  /** As if it had not been read. */
  forget(path: string): void {
    this.#nodes.delete(path);
  }

  /** The transaction that made it. */
  czxid(path: string): bigint {
    return this.#node(path).stat.czxid;
  }

  data(path: string): Buffer {
    return this.#node(path).data;
  }

  #node(path: string): Node {
    const node = this.#nodes.get(path);
    if (!node) throw new Error(`${path} is not in the tree`);
    return node;
  }

  #change(path: string, change: (children: string[], name: string) => void): void {
    const [parent, name] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];
    const node = this.#nodes.get(parent);
    if (!node) return; // the root is not in it
    change(node.children, name);
    node.stat.numChildren = node.children.length;
    node.stat.cversion += 1;
    node.stat.pzxid = this.zxid;
  }
}
