// The reads of a mirror: each path that somebody wants is read soon, some hundred at a time, and once more where it is wanted while a read is
// under way, as that one may be older than what asks now.

import { limits } from '../domain/limits.ts';
import type { Session } from './session.ts';
import type { Znode } from './zookeeper-requests.ts';

/** `stale`: something changed after the read was sent, so it is repeated. */
type Reading = 'wanted' | 'reading' | 'stale';

export interface PathReadsListener {
  /** Null: there is no such znode. */
  onRead(path: string, znode: Znode | null): void;
  onFailure(path: string, error: unknown): void;
}

export class PathReads {
  readonly #session: Session;
  readonly #listener: PathReadsListener;
  readonly #reading = new Map<string, Reading>();
  readonly #queue = new Fifo<string>();
  #inFlight = 0;

  constructor(session: Session, listener: PathReadsListener) {
    this.#session = session;
    this.#listener = listener;
  }

  /** Those that are wanted, or are being read. */
  get paths(): Iterable<string> {
    return this.#reading.keys();
  }

  has(path: string): boolean {
    return this.#reading.has(path);
  }

  want(path: string): void {
    const reading = this.#reading.get(path);
    if (reading === 'wanted') return;
    if (reading !== undefined) {
      this.#reading.set(path, 'stale');
      return;
    }
    this.#reading.set(path, 'wanted');
    this.#queue.push(path);
    this.#pump();
  }

  /** What is under way is read once more. */
  repeatAll(): void {
    for (const [path, reading] of this.#reading) if (reading === 'reading') this.#reading.set(path, 'stale');
  }

  #pump(): void {
    while (this.#inFlight < limits.readsInFlightMax) {
      const path = this.#queue.shift();
      if (path === undefined) return;
      this.#inFlight += 1;
      this.#reading.set(path, 'reading');
      this.#read(path);
    }
  }

  #read(path: string): void {
    this.#session.getData(path).then(
      (znode) => this.#onRead(path, znode),
      (error: unknown) => {
        this.#listener.onFailure(path, error);
        this.#onRead(path, undefined);
      },
    );
  }

  /** Undefined: it could not be read. */
  #onRead(path: string, znode: Znode | null | undefined): void {
    this.#inFlight -= 1;
    const isStale = this.#reading.get(path) === 'stale';
    this.#reading.delete(path);
    if (isStale) this.want(path);
    else if (znode !== undefined) this.#listener.onRead(path, znode);
    this.#pump();
  }
}

/** First in, first out at constant cost; an array's own `shift` moves all that is left. */
class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
