// A mirror of one subtree: a persistent recursive watch that only says "look again", and one read for each look. After
// a reconnect the watch is set again and the whole subtree is listed and compared, so lost, merged and doubled events
// change nothing. It keeps which znodes there are, not their data: the listener makes of that what it needs.
//
// - `present` without data is announced in the order of the events, before the read that brings the data: whoever
//   decides knows at once that something is there, and that it does not know yet what.
// - `synced` means: everything that was there when the watch was set has been announced, with its data.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { limits } from '../domain/limits.ts';
import { isRefusal } from './coordination-error.ts';
import type { Session } from './session.ts';
import type { Znode } from './zookeeper-requests.ts';

/** Before a root that we may not read is tried again. */
const forbiddenPauseMs = 2000;

export interface TreeListener {
  /** A znode is there; `znode` is null while its data is still being read, or may not be read. Called again whenever the data changed. */
  onPresent(path: string, znode: Znode | null): void;
  onAbsent(path: string): void;
  /** We may not read the data; it stays without, until it is announced with. */
  onForbidden?(path: string): void;
  /** With `names` only, which reads no data: it may be another one now. */
  onChanged?(path: string): void;
  /** True: complete and current. False: the link broke, the picture is what it was then. */
  onSynced(synced: boolean): void;
}

export interface TreeCacheOptions {
  /** With `names` nothing is read, and the listener only learns what there is. Default: `data`. */
  readonly content?: 'data' | 'names';
  /** What the one child of a znode that has one is mostly called: it is read without a list first. */
  readonly onlyChild?: string | null;
}

/** Names that are taken up in one turn of the event loop: to do so for a hundred thousand takes a fifth of a second. */
const namesAtOnce = 5000;

/** `stale`: something changed after the read was sent, so it is repeated. */
type Reading = 'wanted' | 'reading' | 'stale';

/** A listing under way: what it still has to read and list, and what was known before and has not been seen again. */
interface Listing {
  readonly open: Set<string>;
  readonly unseen: Set<string>;
  /** Removed while it went on: a list that was answered before may still name it. */
  readonly removed: Set<string>;
  /** Children that were guessed by their name, and when the children of their parent had last changed. */
  readonly guesses: Map<string, bigint>;
}

export class TreeCache {
  readonly #session: Session;
  readonly #root: string;
  readonly #depthMax: number;
  readonly #listener: TreeListener;
  readonly #readsData: boolean;
  readonly #onlyChild: string | null;
  readonly #present = new Set<string>();
  readonly #reading = new Map<string, Reading>();
  readonly #queue = new Fifo<string>();
  #readsInFlight = 0;
  #listing: Listing | null = null;
  #retry: NodeJS.Timeout | undefined;
  #synced = false;
  #onFirstSync: () => void = () => undefined;
  #onNoStart: (error: unknown) => void = () => undefined;

  /** Mirrors `root` and up to `depthMax` levels below. Start with {@link start}; it ends with the session. */
  constructor(
    session: Session,
    root: string,
    depthMax: number,
    listener: TreeListener,
    { content = 'data', onlyChild = null }: TreeCacheOptions = {},
  ) {
    this.#readsData = content === 'data';
    this.#onlyChild = onlyChild;
    this.#session = session;
    this.#root = root;
    this.#depthMax = depthMax;
    this.#listener = listener;
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** Resolves with the first complete picture. Rejects when the session ends before, or may not read the root. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#session.signal.aborted) return reject(this.#session.signal.reason);
      this.#onFirstSync = resolve;
      this.#onNoStart = reject;
      this.#session.onState((state) => {
        if (state === 'connected') this.#resync();
        else this.#setSynced(false);
        if (this.#session.signal.aborted) reject(this.#session.signal.reason);
      });
      if (this.#session.state === 'connected') this.#resync();
    });
  }

  #resync(): void {
    this.#setSynced(false);
    this.#listing = {
      open: new Set([this.#root]),
      unseen: new Set(this.#present),
      removed: new Set(),
      guesses: new Map(),
    };
    // What was asked for over the last link may be answered before the watch is set: it is asked once more.
    for (const [path, reading] of this.#reading) if (reading === 'reading') this.#reading.set(path, 'stale');
    const watching = this.#session.watchRecursively(this.#root, (path, change) => this.#onEvent(path, change));
    watching.catch((error: unknown) => this.#onFailure(this.#root, error));
    // The new server may lag behind what this session has committed over the last one: reads come after the sync.
    this.#session.sync(this.#root).catch((error: unknown) => this.#onFailure(this.#root, error));
    this.#take(this.#root);
  }

  /** Something that the listing under way found. */
  #take(path: string): void {
    if (this.#readsData) return this.#want(path);
    if (depthBelow(this.#root, path) < this.#depthMax && this.#listing) void this.#list(path, this.#listing);
    else this.#listed(path);
  }

  #onEvent(path: string, change: 'created' | 'removed' | 'changed'): void {
    if (depthBelow(this.#root, path) > this.#depthMax) return;
    if (change === 'removed') {
      this.#listing?.removed.add(path);
      // In its turn, also where it is just being read: an outcome that came before must not be seen long before this.
      this.#gone(path);
      if (!this.#reading.has(path)) return;
    }
    if (change === 'created') {
      this.#listing?.removed.delete(path);
      this.#announce(path, null);
    }
    if (this.#readsData) this.#want(path);
    else if (change === 'changed') this.#listener.onChanged?.(path);
  }

  /** Reads `path` soon; once more if a read is already under way, as that one may be older than what asks now. */
  #want(path: string): void {
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

  #pump(): void {
    while (this.#readsInFlight < limits.readsInFlightMax) {
      const path = this.#queue.shift();
      if (path === undefined) return;
      this.#readsInFlight += 1;
      this.#reading.set(path, 'reading');
      this.#read(path);
    }
  }

  #read(path: string): void {
    this.#session.getData(path).then(
      (znode) => this.#onRead(path, znode),
      (error: unknown) => {
        this.#onFailure(path, error);
        this.#onRead(path, undefined);
      },
    );
  }

  /** Undefined: it could not be read. */
  #onRead(path: string, znode: Znode | null | undefined): void {
    this.#readsInFlight -= 1;
    const stale = this.#reading.get(path) === 'stale';
    this.#reading.delete(path);
    if (stale) this.#want(path);
    else if (znode) this.#found(path, znode);
    else if (znode === null) this.#notFound(path);
    this.#pump();
  }

  #found(path: string, znode: Znode): void {
    this.#announce(path, znode);
    const listing = this.#listing;
    if (!listing?.open.has(path)) return;
    this.#checkGuess(path, znode, listing);
    const { numChildren, pzxid } = znode.stat;
    if (numChildren === 0 || depthBelow(this.#root, path) === this.#depthMax) return this.#listed(path);
    if (numChildren > 1 || this.#onlyChild === null) return void this.#list(path, listing);
    listing.guesses.set(childPath(path, this.#onlyChild), pzxid);
    this.#open(path, [this.#onlyChild], listing);
    this.#listed(path);
  }

  #notFound(path: string): void {
    if (this.#listing?.open.has(path)) this.#checkGuess(path, null, this.#listing);
    this.#gone(path);
  }

  /** It is the only child if what made it was the last change of its parent's children; else these are listed after all. */
  #checkGuess(path: string, znode: Znode | null, listing: Listing): void {
    const lastChange = listing.guesses.get(path);
    if (lastChange === undefined) return;
    listing.guesses.delete(path);
    if (znode?.stat.czxid === lastChange) return;
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    listing.open.add(parent);
    void this.#list(parent, listing);
  }

  async #list(path: string, listing: Listing): Promise<void> {
    try {
      const names = await this.#session.childNames(path);
      // A list that was asked for before the watch was set again may miss what came in between.
      if (listing !== this.#listing) return;
      if (!names) return this.#gone(path);
      // With names only, this is where the root shows that it is there.
      if (path === this.#root && !this.#readsData && !listing.removed.has(path)) this.#announce(path, null);
      for (let from = 0; from < names.length; from += namesAtOnce) {
        if (from > 0) await nextTurn();
        if (listing !== this.#listing) return;
        this.#open(path, names.slice(from, from + namesAtOnce), listing);
      }
      this.#listed(path);
    } catch (error) {
      this.#onFailure(path, error);
    }
  }

  /** They have to be seen, too. */
  #open(path: string, names: readonly string[], listing: Listing): void {
    for (const name of names) {
      const child = childPath(path, name);
      listing.open.add(child);
      if (!this.#readsData && !listing.removed.has(child)) this.#announce(child, null);
    }
    for (const name of names) this.#take(childPath(path, name));
  }

  /** It was seen, and what is below it, as far as that is wanted, is being looked at. */
  #listed(path: string): void {
    const listing = this.#listing;
    if (!listing?.open.delete(path) || listing.open.size > 0) return;
    this.#listing = null;
    for (const known of listing.unseen) this.#gone(known);
    this.#setSynced(true);
    this.#onFirstSync();
  }

  #announce(path: string, znode: Znode | null): void {
    this.#present.add(path);
    this.#listing?.unseen.delete(path);
    this.#listener.onPresent(path, znode);
  }

  #gone(path: string): void {
    if (this.#present.delete(path)) this.#listener.onAbsent(path);
    this.#listed(path);
  }

  #setSynced(synced: boolean): void {
    if (this.#synced === synced) return;
    this.#synced = synced;
    this.#listener.onSynced(synced);
  }

  /**
   * What we may not read is there all the same: it stays without data, and nothing waits for it. Any other failure (a
   * deadline, mostly) leaves a hole in the picture, which is therefore taken anew over another link; after a pause where we may
   * not read the root, since somebody has to change that first.
   */
  #onFailure(path: string, error: unknown): void {
    const forbidden = isRefusal(error, 'no_auth');
    if (forbidden && path === this.#root) {
      this.#onNoStart(error);
      // Where we were allowed to before, that may come back.
      this.#retry ??= setTimeout(() => this.#recover(error), forbiddenPauseMs).unref();
    } else if (forbidden) {
      this.#announce(path, null);
      this.#listener.onForbidden?.(path);
      if (this.#listing) this.#checkGuess(path, null, this.#listing);
      this.#listed(path);
    } else this.#recover(error);
  }

  #recover(error: unknown): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#session.state === 'connected') this.#session.recover(`no picture of ${this.#root}: ${String(error)}`);
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

function childPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

function depthBelow(root: string, path: string): number {
  if (path === root) return 0;
  let depth = 0;
  for (let at = root === '/' ? 0 : root.length; at >= 0; at = path.indexOf('/', at + 1)) depth += 1;
  return depth;
}
