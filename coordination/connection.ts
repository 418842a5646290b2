// One session's connection to the ensemble: the only file that knows the npm client (node-zookeeper-client 1.1.3). Its
// connection manager keeps the session id and password, shakes hands, numbers requests and pairs answers with them.
// Everything that it gets wrong is taken over here: which server is tried and how long, TLS, framing, numbers beyond
// 2^31, decoding, notifications; its pings are replaced by session.ts's heartbeat. What it still does right is left to it. Called by session.ts, and by
// changes-since.ts for a session of moments.

import net from 'node:net';
import tls from 'node:tls';
import zookeeper from 'node-zookeeper-client';
import { monotonicMs } from '../runtime/clock.ts';
import { FrameReader } from './frame-reader.ts';
import { JuteReader } from './jute.ts';
import type { WireRequest } from './zookeeper-requests.ts';

export interface EnsembleTarget {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** Asked for; the server may grant another (`onConnected` tells). */
  readonly sessionTimeoutMs: number;
  /** PEM texts; null speaks plain TCP. */
  readonly tls: { readonly ca: string; readonly cert: string | null; readonly key: string | null } | null;
  /** `user:password` for ZooKeeper's digest scheme. */
  readonly digest: string | null;
}

export interface ConnectionEvents {
  /** The server has granted or resumed the session; `sentAt` is when we asked (monotonic ms). */
  onConnected(granted: { sessionId: bigint; timeoutMs: number; sentAt: number }): void;
  /** The link is gone; what was sent and not answered has failed already. It connects again by itself. */
  onDisconnected(): void;
  /** The session cannot go on: the ensemble has ended it, or does not accept our credentials. Final. */
  onRefused(reason: 'session_expired' | 'auth_failed'): void;
  /** A link could not be made, or broke; for the log, `onDisconnected` follows where there was one. */
  onLinkError(error: Error): void;
  /** Some bytes of the server arrived. Returning false stops their processing. */
  onBytes(): boolean;
  /** The leader has answered what was sent at `sentAt` (monotonic ms). */
  onConfirmed(sentAt: number): void;
  /** `path`, the server's, is what is to be read next. */
  onNotification(path: JuteReader, change: NodeChange): void;
}

export type NodeChange = 'created' | 'removed' | 'changed';
/** Watcher.Event.EventType; that of the children comes only where a child watch was set (changes-since.ts). */
const nodeChanges: ReadonlyMap<number, NodeChange> = new Map([
  [1, 'created'],
  [2, 'removed'],
  [3, 'changed'],
  [4, 'changed'],
]);

/**
 * What came of a request: the server's code (0 is success) with the body; or the link broke, after it was handed to the
 * socket (`unanswered`: it may have been applied) or before (`unsent`: it was not).
 */
export type Answer = Reply | 'unanswered' | 'unsent';

/** The parts of the npm client's connection manager that this file relies on; its own types leave them out. */
interface ConnectionManager {
  state: number;
  socket: net.Socket | undefined;
  xid: number;
  zxid: Buffer;
  sessionId: Buffer;
  sessionTimeout: number;
  pendingQueue: NpmPacket[];
  packetQueue: { queue: NpmPacket[] };
  connect(): void;
  close(): void;
  queue(request: NpmRequest, callback: (error: unknown) => void): void;
  setState(state: number): void;
  onSocketConnected(): void;
  onSocketData(data: Buffer): void;
  onSocketDrain(): void;
  onSocketClosed(): void;
  onSocketTimeout(): void;
}
interface NpmRequest {
  header: { xid: number; type: number };
  payload: null;
  toBuffer(): Buffer;
}
interface NpmPacket {
  request: NpmRequest;
  callback: (error: unknown, response?: unknown) => void;
}

const managerStates = { connecting: 1, connected: 2, closing: -1, sessionExpired: -3 } as const;
const xids = { notification: -1, auth: -4 } as const;
const xidMax = 0x7fff_ffff;
/** A link that broke sooner than this counts as a failed attempt, so that a server that hangs up is not hammered. */
const steadyConnectionMs = 1000;

export class Connection {
  readonly #events: ConnectionEvents;
  readonly #target: EnsembleTarget;
  readonly #servers: EnsembleTarget['servers'];
  readonly #manager: ConnectionManager;
  readonly #shakeHands: (packet: Buffer) => void;
  #frames = new FrameReader();
  #nextServer = 0;
  #failedAttempts = 0;
  #connectedAt = 0;
  #handshakeSentAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;

  /** `like`: begins at the server of that other connection, and is served by none that knows less than it has seen. */
  constructor(target: EnsembleTarget, events: ConnectionEvents, like: Connection | null = null) {
    this.#target = target;
    this.#events = events;
    this.#servers = like ? like.#serversFromHere() : shuffled(target.servers);
    const names = target.servers.map(({ host, port }) => `${host}:${port}`).join(',');
    const client = zookeeper.createClient(names, { sessionTimeout: target.sessionTimeoutMs, retries: 0 });
    if (target.digest !== null) client.addAuthInfo('digest', Buffer.from(target.digest));
    const manager = (client as unknown as { connectionManager: ConnectionManager }).connectionManager;
    this.#manager = manager;
    if (like) manager.zxid.writeBigInt64BE(like.zxid);
    this.#shakeHands = manager.onSocketData.bind(manager);
    manager.connect = () => this.#connect();
    // Its own pings come only when nothing moves in either direction, and a follower answers them by itself.
    manager.onSocketTimeout = () => undefined;
    wrapXid(manager);
  }

  open(): void {
    this.#manager.connect();
  }

  /** Hands a request to the socket; only while connected. `onAnswer` is called exactly once. */
  send(request: WireRequest<unknown>, onAnswer: (answer: Answer) => void): void {
    let sentAt = 0;
    const header = { xid: 0, type: request.opcode };
    const npmRequest: NpmRequest = {
      header,
      payload: null,
      toBuffer: () => {
        sentAt = monotonicMs();
        return frame(header, request.body);
      },
    };
    this.#cork();
    // Called by us with the answer's body (see #onReply), or by the manager with an error when the link broke.
    this.#manager.queue(npmRequest, (answer) => {
      if (!(answer instanceof Reply)) return onAnswer(sentAt === 0 ? 'unsent' : 'unanswered');
      if (request.reachesLeader) this.#events.onConfirmed(sentAt);
      onAnswer(answer);
    });
  }

  /** What is sent in one turn of the event loop goes to the kernel in one piece, as far as the socket takes it. */
  #cork(): void {
    const { socket } = this.#manager;
    if (!socket || socket.writableCorked > 0) return;
    socket.cork();
    process.nextTick(() => socket.uncork());
  }

  /** The newest transaction that this session has seen. */
  get zxid(): bigint {
    return this.#manager.zxid.readBigInt64BE(0);
  }

  /** Breaks the link; the next server is tried. */
  drop(): void {
    this.#manager.socket?.destroy();
  }

  /** Breaks the link for good without telling the server: the session ends by its timeout. */
  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    this.drop();
  }

  /** Ends the session at the server, so that its ephemerals go at once; resolves when it said so or the link broke. */
  async endSession(timeoutMs: number): Promise<void> {
    const { socket } = this.#manager;
    if (this.#manager.state === managerStates.connected && socket && !socket.destroyed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        socket.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        this.#manager.close();
      });
    }
    this.dispose();
  }

  /** The one that is spoken to, or was last. */
  get server(): EnsembleTarget['servers'][number] | null {
    return this.#serversFromHere()[0] ?? null;
  }

  /** In the order in which they are tried, the present one first. */
  #serversFromHere(): EnsembleTarget['servers'] {
    const here = Math.max(0, this.#nextServer - 1) % this.#servers.length;
    return [...this.#servers.slice(here), ...this.#servers.slice(0, here)];
  }

  #connect(): void {
    if (this.#disposed) return;
    this.#manager.setState(managerStates.connecting);
    const rounds = Math.floor(this.#failedAttempts / this.#servers.length);
    const pauseMsMax = Math.min(1000, this.#target.sessionTimeoutMs / 6, 25 * 2 ** rounds);
    this.#timer = setTimeout(() => this.#openSocket(), rounds === 0 ? 0 : Math.random() * pauseMsMax);
  }

  #openSocket(): void {
    const { tls: secure, sessionTimeoutMs } = this.#target;
    const server = this.#servers[this.#nextServer % this.#servers.length];
    this.#nextServer += 1;
    this.#failedAttempts += 1;
    if (!server) return;
    const socket = secure
      ? tls.connect({
          ...server,
          ca: secure.ca,
          ...(secure.cert && secure.key && { cert: secure.cert, key: secure.key }),
        })
      : net.connect(server);
    const manager = this.#manager;
    manager.socket = socket;
    this.#frames = new FrameReader();
    socket.setNoDelay();
    // The client itself waits for ever for a server that accepts and never answers the handshake.
    const handshakeMs = Math.max(100, sessionTimeoutMs / 3);
    const late = new Error(`${server.host}:${server.port} did not answer the handshake within ${handshakeMs} ms`);
    this.#timer = setTimeout(() => socket.destroy(late), handshakeMs);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      this.#handshakeSentAt = monotonicMs();
      manager.onSocketConnected();
    });
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('drain', () => manager.onSocketDrain());
    socket.on('error', (error) => this.#events.onLinkError(error)); // 'close' follows and does the work
    socket.once('close', () => this.#onClosed());
  }

  #onClosed(): void {
    clearTimeout(this.#timer);
    if (this.#connectedAt > 0 && monotonicMs() - this.#connectedAt > steadyConnectionMs) this.#failedAttempts = 0;
    this.#connectedAt = 0;
    // Left in the client's queue they would go out before the credentials on the next link.
    const unsent = this.#manager.packetQueue.queue.splice(0);
    for (const packet of unsent) packet.callback('unsent');
    this.#manager.onSocketClosed();
    this.#events.onDisconnected();
  }

  #onData(chunk: Buffer): void {
    if (this.#disposed || !this.#events.onBytes()) return;
    try {
      this.#frames.push(chunk, (packet) => {
        if (!this.#disposed) this.#onPacket(packet);
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // a bug; a RangeError is a stream that is not ZooKeeper's
      this.drop();
    }
  }

  #onPacket(packet: Buffer): void {
    if (this.#manager.state === managerStates.connecting) return this.#onHandshake(packet);
    const body = new JuteReader(packet.subarray(4));
    const xid = body.int();
    body.skip(8); // zxid, kept by #onReply
    const code = body.int();
    if (xid === xids.notification) return this.#onNotification(body);
    if (xid === xids.auth) {
      if (code !== 0) this.#events.onRefused('auth_failed');
      return;
    }
    this.#onReply(packet, xid, code, body);
  }

  #onHandshake(packet: Buffer): void {
    this.#shakeHands(packet);
    clearTimeout(this.#timer);
    const manager = this.#manager;
    if (manager.state === managerStates.sessionExpired) return this.#events.onRefused('session_expired');
    this.#connectedAt = monotonicMs();
    const sessionId = manager.sessionId.readBigInt64BE(0);
    this.#events.onConnected({ sessionId, timeoutMs: manager.sessionTimeout, sentAt: this.#handshakeSentAt });
  }

  #onNotification(body: JuteReader): void {
    const change = nodeChanges.get(body.int());
    body.skip(4); // keeper state, always SyncConnected
    if (change) this.#events.onNotification(body, change);
  }

  #onReply(packet: Buffer, xid: number, code: number, body: JuteReader): void {
    const pending = this.#manager.pendingQueue.shift();
    if (pending?.request.header.xid !== xid) {
      pending?.callback('out of order');
      return this.drop(); // answers come in order; out of order nothing can be paired any more
    }
    packet.copy(this.#manager.zxid, 0, 8, 16);
    pending.callback(new Reply(code, body, this.zxid));
  }
}

/** Tells the server's answers from the errors with which the manager fails what a broken link left open. */
export class Reply {
  constructor(
    readonly code: number,
    readonly body: JuteReader,
    /** Of a write its transaction, of a read the newest that the server has applied. */
    readonly zxid: bigint,
  ) {}
}

function frame(header: { xid: number; type: number }, body: Buffer): Buffer {
  const packet = Buffer.allocUnsafe(12 + body.length);
  packet.writeInt32BE(8 + body.length, 0);
  packet.writeInt32BE(header.xid, 4);
  packet.writeInt32BE(header.type, 8);
  body.copy(packet, 12);
  return packet;
}

/** Every client with an order of its own, so that neither the first choice nor the second is everybody's. */
function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

/** The client counts up without end and then throws; the Java client starts again at 1, and so do we. */
function wrapXid(manager: ConnectionManager): void {
  let xid = manager.xid;
  Object.defineProperty(manager, 'xid', {
    get: () => xid,
    set: (next: number) => {
      xid = next > xidMax ? 1 : next;
    },
  });
}
