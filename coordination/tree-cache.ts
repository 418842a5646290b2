// A mirror of one subtree: a persistent recursive watch that only says "look again", and one read for each look. After
// a reconnect the watch is set again and the whole subtree is listed and compared, so lost, merged and doubled events
// change nothing. Of many znodes the server is asked first which have changed since the link broke; with those the mirror is complete again, and
// the others are looked at while it is in use: an ensemble that lost what it had committed (ZOOKEEPER-4394 and its kin) would else leave it wrong
// for good. It keeps which znodes there are, not their data: the listener makes of that what it needs.
//
// - `present` without data is announced in the order of the events, before the read that brings the data: whoever
//   decides knows at once that something is there, and that it does not know yet what.
// - `synced` means: everything that was there when the watch was set has been announced, with its data.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { CoordinationError, isRefusal } from './coordination-error.ts';
import { PathReads } from './path-reads.ts';
import type { Session } from './session.ts';
import { childPath, depthBelow, type Listing, newListing } from './tree-listing.ts';
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
  /** From so many znodes on it is asked which have changed; fewer are read as soon. */
  readonly manyZnodes?: number;
}

const manyZnodesDefault = 2000;

/** Names that are taken up in one turn of the event loop: to do so for a hundred thousand takes a fifth of a second. */
const namesAtOnce = 5000;

export class TreeCache {
  readonly #session: Session;
  readonly #root: string;
  readonly #depthMax: number;
  readonly #listener: TreeListener;
  readonly #readsData: boolean;
  readonly #onlyChild: string | null;
  readonly #manyZnodes: number;
  readonly #present = new Set<string>();
  readonly #reads: PathReads;
  #listing: Listing | null = null;
  #beginnings = 0;
  #retry: NodeJS.Timeout | undefined;
  #synced = false;
  /** The transaction up to which this mirror was complete when it last was; null: never, or it has a hole. */
  #completeUntil: bigint | null = null;
  #onFirstSync: () => void = () => undefined;
  #onNoStart: (error: unknown) => void = () => undefined;
  #stopListening: (() => void) | null = null;
  #isStopped = false;

  /** Mirrors `root` and up to `depthMax` levels below. Start with {@link start}; it ends with the session, or {@link stop}. */
  constructor(
    session: Session,
    root: string,
    depthMax: number,
    listener: TreeListener,
    { content = 'data', onlyChild = null, manyZnodes = manyZnodesDefault }: TreeCacheOptions = {},
  ) {
    this.#manyZnodes = manyZnodes;
    this.#readsData = content === 'data';
    this.#onlyChild = onlyChild;
    this.#session = session;
    this.#root = root;
    this.#depthMax = depthMax;
    this.#listener = listener;
    this.#reads = new PathReads(session, {
      onRead: (path, znode) => {
        if (this.#isStopped) return;
        if (znode) this.#found(path, znode);
        else this.#notFound(path);
      },
      onFailure: (path, error) => this.#onFailure(path, error),
    });
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
      this.#stopListening = this.#session.onState((state) => {
        if (state === 'connected') this.#resync();
        else this.#onNoLink();
        if (this.#session.signal.aborted) reject(this.#session.signal.reason);
      });
      if (this.#session.state === 'connected') this.#resync();
    });
  }

  /** From now on nothing is told. Resolves when another mirror of this root may be started in the same session. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#begin();
    clearTimeout(this.#retry);
    this.#stopListening?.();
    await this.#session.unwatchRecursively(this.#root);
  }

  /** Of a znode of which an event may not have come: of one that we may not read, servers since 3.8.4 tell no change (CVE-2024-23944). */
  lookAgain(path: string): void {
    if (this.#readsData && this.#session.state === 'connected') this.#reads.want(path);
  }

  /**
   * We are creating it, with what `committed` brings: it need not be read. To be called in the turn in which the commit is asked for, and
   * not again for that path before it is over. Where the commit was refused, or that cannot be told, it is read as everything else.
   */
  expect(path: string, committed: Promise<Znode>): void {
    this.#reads.expect(path);
    committed.then(
      (znode) => this.#reads.supply(path, znode),
      () => this.#reads.giveUp(path),
    );
  }

  #onNoLink(): void {
    if (this.#synced) this.#completeUntil = this.#session.zxid;
    this.#begin();
    this.#setSynced(false);
  }

  #resync(): void {
    const isCurrent = this.#begin();
    this.#setSynced(false);
    // What was wanted over the last link may be new, with children that no event has told of.
    const unread = this.#reads.paths;
    this.#reads.repeatAll(); // what was asked for over the last link may be answered before the watch is set
    const watching = this.#session.watchRecursively(this.#root, (path, change) => this.#onEvent(path, change));
    watching.catch((error: unknown) => this.#onFailure(this.#root, error));
    // The new server may lag behind what this session has committed over the last one: reads come after the sync.
    this.#session.sync(this.#root).catch((error: unknown) => this.#onFailure(this.#root, error));
    const since = this.#completeUntil;
    if (since === null || !this.#readsData || this.#present.size < this.#manyZnodes) return this.#readAll(unread);
    const ask = () => {
      if (isCurrent()) void this.#readChanges(since, unread, isCurrent);
    };
    watching.then(ask, () => undefined); // a failure is told above
  }

  /** No listing is under way any more. Tells, later, whether this is still the newest beginning. */
  #begin(): () => boolean {
    this.#beginnings += 1;
    this.#listing = null;
    const own = this.#beginnings;
    return () => this.#beginnings === own;
  }

  #readAll(unread: Iterable<string> = []): void {
    const listing = newListing([this.#root, ...unread], null);
    for (const path of this.#present) listing.unseen.add(path);
    this.#listing = listing;
    this.#takeAll(unread);
    this.#take(this.#root);
  }

  /** What has changed before the watch was set was not told by it, so the watch has to stand. */
  async #readChanges(zxid: bigint, unread: readonly string[], isCurrent: () => boolean): Promise<void> {
    const hasChildren = (path: string) => depthBelow(this.#root, path) < this.#depthMax;
    const asked = this.#session.changesSince(zxid, { paths: this.#present, hasChildren });
    const changed = await asked.catch((error: unknown) => {
      if (error instanceof CoordinationError) return null; // it cannot be told
      throw error;
    });
    if (!isCurrent()) return;
    if (changed === null) return this.#readAll(unread);
    const known = [...changed].filter((path) => path !== this.#root && this.#present.has(path));
    // All at once, or it could be over before the last of them is looked at.
    const listing = newListing([this.#root, ...unread, ...known], new Set(changed));
    this.#listing = listing;
    this.#takeAll(unread);
    await this.#openAll(known, listing);
    if (listing === this.#listing) this.#take(this.#root);
  }

  #takeAll(paths: Iterable<string>): void {
    for (const path of paths) this.#take(path);
  }

  /** Something that the listing under way found. */
  #take(path: string): void {
    if (this.#readsData) return this.#reads.want(path);
    if (depthBelow(this.#root, path) < this.#depthMax && this.#listing) void this.#list(path, this.#listing);
    else this.#listed(path);
  }

  #onEvent(path: string, change: 'created' | 'removed' | 'changed'): void {
    if (depthBelow(this.#root, path) > this.#depthMax) return;
    if (change === 'removed') {
      this.#listing?.removed.add(path);
      if (this.#listing) this.#checkGuess(path, null, this.#listing);
      // In its turn, also where it is just being read: an outcome that came before must not be seen long before this.
      this.#gone(path);
      if (!this.#reads.gone(path)) return;
    }
    if (change === 'created') {
      this.#listing?.removed.delete(path);
      this.#announce(path, null);
    }
    if (this.#readsData) this.#reads.want(path);
    else if (change === 'changed') this.#listener.onChanged?.(path);
  }

  #found(path: string, znode: Znode): void {
    this.#announce(path, znode);
    const listing = this.#listing;
    if (!listing?.open.has(path)) return;
    this.#checkGuess(path, znode, listing);
    listing.changed?.delete(path);
    const { numChildren, pzxid } = znode.stat;
    if (numChildren === 0 || depthBelow(this.#root, path) === this.#depthMax) return this.#listed(path);
    if (numChildren > 1 || this.#onlyChild === null) return void this.#list(path, listing);
    const child = childPath(path, this.#onlyChild);
    if (!this.#isCurrent(child, listing)) listing.guesses.set(child, pzxid);
    this.#open([child], listing);
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
      await this.#openAll(
        names.map((name) => childPath(path, name)),
        listing,
      );
      if (listing === this.#listing) this.#listed(path);
    } catch (error) {
      this.#onFailure(path, error);
    }
  }

  async #openAll(paths: readonly string[], listing: Listing): Promise<void> {
    for (let from = 0; from < paths.length; from += namesAtOnce) {
      if (from > 0) await nextTurn();
      if (listing !== this.#listing) return;
      this.#open(paths.slice(from, from + namesAtOnce), listing);
    }
  }

  /** They have to be seen, too, unless they are known as they are. */
  #open(paths: readonly string[], listing: Listing): void {
    const unknown = paths.filter((path) => !this.#isCurrent(path, listing));
    for (const path of unknown) {
      listing.open.add(path);
      if (!this.#readsData && !listing.removed.has(path)) this.#announce(path, null);
    }
    for (const path of unknown) this.#take(path);
  }

  #isCurrent(path: string, { changed }: Listing): boolean {
    return changed !== null && this.#present.has(path) && !changed.has(path);
  }

  /** It was seen, and what is below it, as far as that is wanted, is being looked at. */
  #listed(path: string): void {
    const listing = this.#listing;
    if (!listing?.open.delete(path) || listing.open.size > 0) return;
    this.#listing = null;
    for (const known of listing.unseen) this.#gone(known);
    this.#setSynced(true);
    this.#onFirstSync();
    if (listing.changed !== null) this.#readAll();
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
   * deadline, mostly) leaves a hole in the picture, which is therefore taken anew, all of it, over another link; after a pause where we may
   * not read the root, since somebody has to change that first.
   */
  #onFailure(path: string, error: unknown): void {
    if (this.#isStopped) return;
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
    this.#begin(); // what ends in the same turn makes no complete picture of it
    this.#setSynced(false);
    this.#completeUntil = null;
    if (this.#session.state === 'connected') this.#session.recover(`no picture of ${this.#root}: ${String(error)}`);
  }
}
