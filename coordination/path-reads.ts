// The reads of a mirror: each path that somebody wants is read soon, some hundred at a time, and once more where it is wanted while a read is
// under way, as that one may be older than what asks now. What we are just creating ourselves need not be read: the answer to its commit says
// what is there.

import { limits } from '../domain/limits.ts';
import type { Session } from './session.ts';
import type { Znode } from './zookeeper-requests.ts';

export interface PathReadsListener {
  /** Null: there is no such znode. */
  onRead(path: string, znode: Znode | null): void;
  onFailure(path: string, error: unknown): void;
}

export class PathReads {
  readonly #session: Session;
  readonly #listener: PathReadsListener;
  readonly #looks = new Map<string, Look>();
  readonly #queue = new Fifo<Look>();
  #inFlight = 0;

  constructor(session: Session, listener: PathReadsListener) {
    this.#session = session;
    this.#listener = listener;
  }

  /** Of what is there, or was a moment ago, and has not been read as it is now. */
  get paths(): string[] {
    const known = [...this.#looks.values()].filter(({ state }) => state !== 'expected');
    return known.map(({ path }) => path);
  }

  want(path: string): void {
    const known = this.#looks.get(path);
    if (known) known.state = onceMore[known.state];
    else this.#enqueue(path);
  }

  /** What is under way is read once more; what was to be supplied is read, as nothing tells whether it still will be. */
  repeatAll(): void {
    for (const look of [...this.#looks.values()]) {
      if (look.state === 'reading') look.state = 'stale';
      if (look.isExpected) this.#readAfterAll(look);
    }
  }

  /**
   * We are about to create it: its data comes by {@link supply}, so that it is not read when it shows up; unless that was already wanted. To
   * be followed by that or by {@link giveUp}.
   */
  expect(path: string): void {
    if (!this.#looks.has(path)) this.#looks.set(path, new Look(path, 'expected', this));
  }

  /** The answer of what has created it. Something else may have become of it since, or its link be lost. */
  supply(path: string, znode: Znode): void {
    const look = this.#looks.get(path);
    if (!look?.isExpected) return;
    if (look.state !== 'shown') return this.#readAfterAll(look);
    this.#looks.delete(path);
    this.#listener.onRead(path, znode);
  }

  /** It was not created, or that is not known. */
  giveUp(path: string): void {
    const look = this.#looks.get(path);
    if (look?.isExpected) this.#readAfterAll(look);
  }

  /** It is gone. True where that is no news to a read under way: it has to be looked at once more. */
  gone(path: string): boolean {
    const look = this.#looks.get(path);
    if (look?.isExpected) this.#looks.delete(path);
    return look !== undefined && !look.isExpected;
  }

  /** Called by a look. Undefined: it could not be read. */
  onAnswer(look: Look, znode: Znode | null | undefined): void {
    this.#inFlight -= 1;
    this.#looks.delete(look.path);
    if (look.state === 'stale') this.#enqueue(look.path);
    else if (znode !== undefined) this.#listener.onRead(look.path, znode);
    this.#pump();
  }

  onFailure(look: Look, error: unknown): void {
    this.#listener.onFailure(look.path, error);
    this.onAnswer(look, undefined);
  }

  #enqueue(path: string): void {
    const look = new Look(path, 'wanted', this);
    this.#looks.set(path, look);
    this.#queue.push(look);
    this.#pump();
  }

  #readAfterAll(look: Look): void {
    this.#looks.delete(look.path);
    if (look.state !== 'expected') this.#enqueue(look.path);
  }

  #pump(): void {
    while (this.#inFlight < limits.readsInFlightMax) {
      const look = this.#queue.shift();
      if (look === undefined) return;
      this.#inFlight += 1;
      look.state = 'reading';
      this.#session.readData(look.path, look);
    }
  }
}

/**
 * `stale`: something changed after the read was sent, so it is repeated. `expected`: we are creating it; `shown`: and an event has told that
 * it is there; `overtaken`: and of something else since.
 */
type LookState = 'wanted' | 'reading' | 'stale' | 'expected' | 'shown' | 'overtaken';

const onceMore: Readonly<Record<LookState, LookState>> = {
  wanted: 'wanted',
  reading: 'stale',
  stale: 'stale',
  expected: 'shown',
  shown: 'overtaken',
  overtaken: 'overtaken',
};

/** One path that is wanted, and who takes the answer; no promise, as there are some for each task. */
class Look {
  readonly path: string;
  state: LookState;
  readonly #reads: PathReads;

  constructor(path: string, state: LookState, reads: PathReads) {
    this.path = path;
    this.state = state;
    this.#reads = reads;
  }

  get isExpected(): boolean {
    return this.state === 'expected' || this.state === 'shown' || this.state === 'overtaken';
  }

  resolve(znode: Znode | null): void {
    this.#reads.onAnswer(this, znode);
  }

  reject(error: unknown): void {
    this.#reads.onFailure(this, error);
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
