// One ZooKeeper session: the narrow seam between ZooKeeper and everything above. Its states are Curator's: connected,
// suspended (the link is gone, the session may live), lost (final; `signal` aborts). A session that cannot prove by our
// own clock that it lives is lost, before the ensemble would give what it holds to another; nothing revives it, and
// session-loop.ts opens the next one.
//
// Reads are repeated over a reconnect, writes never: a write that was sent and not answered fails as `unknown`.

import { limits } from '../domain/limits.ts';
import { monotonicMs } from '../runtime/clock.ts';
import { formatAddress } from '../runtime/environment.ts';
import type { Log } from '../runtime/log.ts';
import { changesSince, type PastZnodes } from './changes-since.ts';
import { type Answer, Connection, type EnsembleTarget, type NodeChange } from './connection.ts';
import { consistentReadRequest, type SeenZnode } from './consistent-read.ts';
import { CoordinationError, isRefusal } from './coordination-error.ts';
import { GroupRead, type ReadTaker } from './group-read.ts';
import type { JuteReader, Stat } from './jute.ts';
import { OneShotWatches } from './one-shot-watches.ts';
import { OpenRequests, type PendingRequest } from './open-requests.ts';
import { SessionClocks } from './session-clocks.ts';
import { SessionLease } from './session-lease.ts';
import type { Operation, OperationResult, WireRequest, Znode } from './zookeeper-requests.ts';
import * as requests from './zookeeper-requests.ts';

export interface SessionOptions extends EnsembleTarget {
  /** `/path` that all our paths live under, or ''. */
  readonly chroot: string;
  /**
   * Each operation has this long, the wait for a connection included; a read that waits for others before it, up to twice that.
   * Default: the session timeout, the longer of asked and granted.
   */
  readonly operationTimeoutMs?: number;
  readonly log: Log;
}

export type SessionState = 'connecting' | 'connected' | 'suspended' | 'lost' | 'closed';
export type RecursiveListener = (path: string, change: NodeChange) => void;

export class SessionLost extends Error {
  override readonly name = 'SessionLost';
}

export class Session {
  readonly #options: SessionOptions;
  readonly #log: Log;
  readonly #chrootBytes: number;
  readonly #connection: Connection;
  readonly #lease = new SessionLease();
  readonly #watches = new OneShotWatches();
  readonly #recursive = new Map<string, { readonly below: string; readonly listener: RecursiveListener }>();
  readonly #open: OpenRequests;
  readonly #reads = new GroupRead((request) => this.#read(request));
  readonly #ended = new AbortController();
  readonly #stateListeners = new Set<(state: SessionState) => void>();
  readonly #trustListeners = new Set<(untilMs: number) => void>();
  readonly #linkErrorsLogged = new Set<string>();
  readonly #clocks = new SessionClocks(this.#lease, {
    isConnected: () => this.#state === 'connected',
    onBeat: () => void this.sync('/').catch(() => undefined), // its answer is what counts; without one the link is dropped in time
    onSilent: () => {
      this.#log.warn('no answer from ZooKeeper for two fifths of the session timeout, trying another server');
      this.#connection.drop();
    },
    onOver: () => this.#lose('not heard from in time'),
  });
  #state: SessionState = 'connecting';
  #id = 0n;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#chrootBytes = Buffer.byteLength(options.chroot);
    this.#open = new OpenRequests(options.operationTimeoutMs ?? options.sessionTimeoutMs);
    this.#connection = new Connection(options, {
      onConnected: (granted) => this.#onConnected(granted),
      onDisconnected: () => this.#onDisconnected(),
      onRefused: (reason) => this.#lose(reason),
      onLinkError: (error) => this.#onLinkError(error),
      onBytes: () => !this.#loseIfOver(),
      onConfirmed: (sentAt) => this.#onConfirmed(sentAt),
      onNotification: (path, change) => this.#onNotification(path, change),
    });
    this.#connection.open();
  }

  /** Aborts when the session is lost or closed, with a {@link SessionLost} as reason. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** As in a znode's `ephemeralOwner`; 0n before the first handshake. */
  get id(): bigint {
    return this.#id;
  }

  /** The negotiated timeout in ms; 0 before the first handshake. */
  get timeoutMs(): number {
    return this.#lease.timeoutMs;
  }

  /** Until this moment (monotonic ms) no other can have been given what this session holds. */
  get trustedUntil(): number {
    return this.#lease.trustedUntil;
  }

  /** Calls `listener` with {@link trustedUntil} whenever that has moved; returns the function that ends that. */
  onTrust(listener: (untilMs: number) => void): () => void {
    this.#trustListeners.add(listener);
    return () => this.#trustListeners.delete(listener);
  }

  /** The newest transaction that this session has seen: of it and all before it, every event has been told. */
  get zxid(): bigint {
    return this.#connection.zxid;
  }

  /** The server that serves it, or did last: `host:port`, as it was named to us. */
  get server(): string | null {
    const server = this.#connection.server;
    return server && formatAddress(server.host, server.port);
  }

  /** Znodes whose next change somebody waits for. */
  get watched(): number {
    return this.#watches.size;
  }

  /** Calls `listener` at each change of state from now on; returns the function that ends that. */
  onState(listener: (state: SessionState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /**
   * Null where there is no such znode. Travels with what else is read in this turn of the event loop: so it may go out after what
   * is asked for later, never before what was asked for earlier.
   */
  getData(path: string): Promise<Znode | null> {
    return this.#reads.read(requests.dataAt(this.#serverPath(path)));
  }

  /** As {@link getData}, without a promise. */
  readData(path: string, taker: ReadTaker<Znode>): void {
    this.#reads.readInto(requests.dataAt(this.#serverPath(path)), taker);
  }

  /** Names of the children, in no order; null where there is no such znode. Travels as {@link getData} does. */
  childNames(path: string): Promise<string[] | null> {
    return this.#reads.read(requests.childNamesAt(this.#serverPath(path)));
  }

  /** All as they were at one moment, in the order of `paths`, of which there are not more than one answer should carry. */
  async readTogether(paths: readonly string[]): Promise<SeenZnode[]> {
    return (await this.#read(consistentReadRequest(paths.map((path) => this.#serverPath(path))))) ?? [];
  }

  exists(path: string): Promise<Stat | null> {
    return this.#read(requests.existsRequest(this.#serverPath(path), false));
  }

  /** As {@link childNames}, with the stat of the same moment. */
  getChildren(path: string): Promise<{ children: string[]; stat: Stat } | null> {
    return this.#read(requests.getChildrenRequest(this.#serverPath(path)));
  }

  /** Afterwards reads see everything that was committed before the call. */
  async sync(path: string): Promise<void> {
    await this.#read(requests.syncRequest(this.#serverPath(path)));
  }

  /**
   * `exists`, and one call of `onChange` at the next change of that znode, or when the session ends. It survives
   * reconnects. `cancel` takes it back, at the server too: whoever gives up waiting for what never happens, again and again, must not
   * leave it more and more to watch for. `if there` keeps it there, and saves a request, where the znode is there and goes soon anyway.
   */
  watch(path: string, onChange: () => void): { stat: Promise<Stat | null>; cancel: (keep?: 'if there') => void } {
    const takeBack = this.#watches.add(path, onChange);
    let found: Stat | null | undefined;
    let leave: (() => void) | null = null;
    const stat = this.#read(requests.existsRequest(this.#serverPath(path), true)).then((answer) => {
      found = answer;
      this.#watches.setKind(path, answer ? 'data' : 'exist');
      leave?.();
      return answer;
    });
    const cancel = (keep?: 'if there') => {
      if (!takeBack()) return;
      leave = () => {
        if (keep === undefined || found === null) this.#unwatch(path);
      };
      // Otherwise with the answer: the request may wait for a link, and be sent yet.
      if (found !== undefined) leave();
    };
    return { stat, cancel };
  }

  /** A server forgets with the link what it watches for; where it has told of a change meanwhile, it refuses. */
  #unwatch(path: string): void {
    if (this.#state !== 'connected' || this.#watches.has(path)) return;
    this.#issue(requests.removeWatchRequest(this.#serverPath(path), 'data'), false).catch(() => undefined);
  }

  /**
   * Calls `listener` for every creation, change and removal at `path` and below. The server drops it with the
   * connection: call it again in each `connected` state, then list and compare.
   */
  async watchRecursively(path: string, listener: RecursiveListener): Promise<void> {
    this.#recursive.set(path, { below: path === '/' ? path : `${path}/`, listener });
    await this.#read(requests.addRecursiveWatchRequest(this.#serverPath(path)));
  }

  /**
   * Ends {@link watchRecursively}; resolves when what it was told of has all arrived, and was told to nobody. Asked for again over the
   * next link, too, where the watch may be set by a request that waited for that.
   */
  async unwatchRecursively(path: string): Promise<void> {
    this.#recursive.delete(path);
    await this.#read(requests.removeWatchRequest(this.#serverPath(path), 'any')).catch(() => undefined);
  }

  /** Which of these znodes have changed since `zxid`, up to now at least. Throws CoordinationError where it cannot be told soon. */
  changesSince(zxid: bigint, znodes: PastZnodes): Promise<ReadonlySet<string>> {
    return changesSince(this.#options, this.#connection, zxid, znodes);
  }

  /** One atomic transaction; throws {@link CoordinationError}, which names the refused operation and the outcome. */
  commit(operations: readonly Operation[]): Promise<OperationResult[]> {
    return this.#commitUnder(this.#options.chroot, operations);
  }

  /** Makes the znodes of the chroot where they are missing. */
  async ensureChroot(): Promise<void> {
    const names = this.#options.chroot.split('/').slice(1);
    for (let depth = 1; depth <= names.length; depth += 1) {
      const path = `/${names.slice(0, depth).join('/')}`;
      // Asked first: where it is there already we need no permission to create it.
      if (await this.#read(requests.existsRequest(path, false))) continue;
      const create = { kind: 'create', path, data: Buffer.alloc(0), mode: 'persistent' } as const;
      await this.#commitUnder('', [create]).catch((error: unknown) => {
        if (!isRefusal(error, 'node_exists')) throw error;
      });
    }
  }

  /** Breaks the link and comes back over another one, after which mirrors and watches are set up anew. */
  recover(why: string): void {
    this.#log.warn({ why }, 'reconnecting to ZooKeeper');
    this.#connection.drop();
  }

  /** Ends the session at the server, so that its ephemerals go at once; a link that is just broken gets a moment to come back for that. */
  async close(): Promise<void> {
    const timeoutMs = Math.min(1000, this.#options.sessionTimeoutMs);
    if (this.#state === 'suspended') await this.nextState(timeoutMs);
    if (this.signal.aborted) return;
    this.#end('closed', 'the session was closed');
    await this.#connection.endSession(timeoutMs);
  }

  /** Resolves with the next change of state, and after `timeoutMs` without one. */
  nextState(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        stopListening();
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      const stopListening = this.onState(end);
    });
  }

  async #commitUnder(chroot: string, operations: readonly Operation[]): Promise<OperationResult[]> {
    const access = this.#options.digest === null ? 'world' : 'creator';
    const request = requests.multiRequest(operations, access, chroot);
    const results = (await this.#issue(request, false)) ?? [];
    if (chroot === '') return results;
    return results.map(({ path, stat, zxid }) => ({ path: path?.slice(chroot.length) ?? null, stat, zxid }));
  }

  #read<T>(request: WireRequest<T>): Promise<T | null> {
    return this.#issue(request, true);
  }

  /** Sends now or once connected. Resolves with null for a znode that is not there. */
  #issue<T>(request: WireRequest<T>, repeatable: boolean): Promise<T | null> {
    if (request.body.length > limits.packetBytesMax) {
      const size = `${request.what}: ${request.body.length} bytes are over ${limits.packetBytesMax}`;
      return Promise.reject(new CoordinationError('too_large', 'not applied', size));
    }
    if (this.signal.aborted || this.#loseIfOver()) {
      return Promise.reject(new CoordinationError('session_lost', 'not applied', request.what));
    }
    const { pending, promise } = this.#open.add(request, repeatable);
    if (this.#state === 'connected') this.#send(pending);
    return promise;
  }

  #send(pending: PendingRequest): void {
    pending.sent = true;
    if (pending.request.reachesLeader) this.#lease.asked(monotonicMs());
    this.#connection.send(pending.request, (answer: Answer) => {
      if (typeof answer === 'object') this.#open.answer(pending, answer);
      else if (answer === 'unsent' || pending.repeatable)
        pending.sent = false; // goes out on the next link
      else this.#open.fail(pending, 'connection_lost', 'the connection broke before the answer came');
    });
  }

  #onConnected(granted: { sessionId: bigint; timeoutMs: number; sentAt: number }): void {
    this.#id = granted.sessionId;
    this.#lease.granted(granted.timeoutMs, granted.sentAt);
    if (this.#options.operationTimeoutMs === undefined) this.#open.allowAtLeast(granted.timeoutMs);
    this.#state = 'connected';
    this.#linkErrorsLogged.clear();
    this.#log.info({ session: granted.sessionId.toString(16), timeoutMs: granted.timeoutMs }, 'connected to ZooKeeper');
    this.#clocks.start();
    this.#announceTrust();
    const { chroot } = this.#options;
    for (const { data, exist } of this.#watches.groups(chroot)) {
      void this.#read(requests.setWatchesRequest(this.#connection.zxid, data, exist)).catch(() =>
        this.#connection.drop(),
      );
    }
    for (const pending of this.#open.unsent()) this.#send(pending);
    this.#announce();
  }

  #onConfirmed(sentAt: number): void {
    const before = this.trustedUntil;
    this.#lease.confirmed(sentAt, monotonicMs());
    if (this.trustedUntil !== before) this.#announceTrust();
  }

  #announceTrust(): void {
    for (const listener of this.#trustListeners) listener(this.trustedUntil);
  }

  #onDisconnected(): void {
    if (this.#state !== 'connected') return;
    this.#state = 'suspended';
    this.#log.warn('the connection to ZooKeeper is gone, reconnecting');
    this.#announce();
  }

  /** Each once until the next connection: attempts go on for as long as the ensemble is away. */
  #onLinkError({ message }: Error): void {
    if (this.signal.aborted || this.#linkErrorsLogged.has(message)) return;
    this.#linkErrorsLogged.add(message);
    this.#log.warn({ why: message }, 'no link to a ZooKeeper server');
  }

  /** For a process that was frozen past its session: our timer comes too late, what arrives is no longer for it. */
  #loseIfOver(): boolean {
    if (this.#lease.timeoutMs === 0 || monotonicMs() < this.#lease.trustedUntil) return false;
    this.#lose('not heard from in time');
    return true;
  }

  #serverPath(path: string): string {
    return path === '/' ? this.#options.chroot || '/' : this.#options.chroot + path;
  }

  #onNotification(serverPath: JuteReader, change: NodeChange): void {
    // Not cut off: what is left would keep the whole of it in memory for as long as somebody keeps the path.
    const path = serverPath.string(this.#chrootBytes) || '/';
    this.#watches.fire(path);
    for (const [root, { below, listener }] of this.#recursive) {
      if (path.startsWith(below) || path === root) listener(path, change);
    }
  }

  #lose(why: string): void {
    if (this.signal.aborted) return;
    this.#log.warn({ session: this.#id.toString(16), why }, 'the ZooKeeper session is lost');
    this.#end('lost', why);
    this.#connection.dispose();
  }

  #end(state: 'lost' | 'closed', why: string): void {
    this.#state = state;
    this.#clocks.stop();
    this.#ended.abort(new SessionLost(why));
    this.#open.failAll('session_lost', why);
    this.#recursive.clear();
    this.#watches.fireAll();
    this.#announce();
  }

  #announce(): void {
    for (const listener of [...this.#stateListeners]) listener(this.#state);
  }
}
