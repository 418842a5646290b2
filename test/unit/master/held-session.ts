// A session whose tree the test holds, for the picture of a master without any server.

import { CoordinationError } from '../../../coordination/coordination-error.ts';
import { type RecursiveListener, SessionLost } from '../../../coordination/session.ts';
import { readDataBy } from '../../support/read-data.ts';

/** Data that nobody may read. */
export const forbidden = 'forbidden';

/** Answers from its own tree, with an event for each change. */
export class HeldSession {
  readonly #ended = new AbortController();
  readonly signal = this.#ended.signal;
  readonly state = 'connected';
  readonly #data = new Map<string, string>(['/queues', '/workers', '/assign', '/tasks'].map((path) => [path, '']));
  /** By which transactions those came that were written, 1 for all that was found. */
  readonly #czxids = new Map<string, bigint>();
  readonly #listeners = new Map<string, RecursiveListener[]>();

  constructor(found: Readonly<Record<string, string>>) {
    for (const [path, data] of Object.entries(found)) this.#data.set(path, data);
  }

  lose() {
    this.#ended.abort(new SessionLost('lost by the test'));
  }

  onState() {
    return () => undefined;
  }

  async sync() {
    // Nothing lags behind here.
  }

  async watchRecursively(path: string, listener: RecursiveListener) {
    this.#listeners.set(path, [...(this.#listeners.get(path) ?? []), listener]);
  }

  async getData(path: string) {
    const data = this.#data.get(path);
    if (data === forbidden) throw CoordinationError.refused(-102, path);
    const numChildren = this.#childrenOf(path).length;
    const czxid = this.#czxids.get(path) ?? 1n;
    const ephemeralOwner = path.startsWith('/workers/') ? 1n : 0n;
    const stat = { numChildren, cversion: numChildren, ctime: 0, czxid, version: 0, ephemeralOwner };
    return data === undefined ? null : { data: Buffer.from(data), stat };
  }

  readonly readData = readDataBy((path) => this.getData(path));

  async exists(path: string) {
    return (await this.getData(path))?.stat ?? null;
  }

  async childNames(path: string) {
    return this.#childrenOf(path);
  }

  /** Resolves when whoever watches has read it. */
  async write(path: string, data: string) {
    const change = this.#data.has(path) ? 'changed' : 'created';
    this.#data.set(path, data);
    if (change === 'created') this.#czxids.set(path, BigInt(this.#czxids.size + 2));
    await this.#tell(path, change);
  }

  async remove(path: string) {
    this.#data.delete(path);
    await this.#tell(path, 'removed');
  }

  async #tell(path: string, change: 'created' | 'changed' | 'removed') {
    for (const listener of this.#listeners.get(path.slice(0, path.indexOf('/', 1))) ?? []) listener(path, change);
    await new Promise((resolve) => setImmediate(resolve));
  }

  #childrenOf(path: string): string[] {
    return [...this.#data.keys()].filter((key) => key.startsWith(`${path}/`)).map((key) => key.slice(path.length + 1));
  }
}
