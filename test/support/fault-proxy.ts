// A TCP proxy in front of a ZooKeeper server that fails on command: cuts, refuses, goes silent, delays, and loses single
// replies or requests. Each verb acts on the connections that are there and on those that come. It also counts and shows
// what passes, so that a test can wait for "the third ping" and need not sleep.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { findFreePort } from '../../scripts/ports.ts';
import { onCleanup, type TestScope } from './cleanup.ts';
import { FaultConnection, type RequestMatch, type RequestRule } from './fault-connection.ts';
import { type Direction, type Frame, opcodes, xids } from './zookeeper-frames.ts';

export interface FrameCounters {
  frames: number;
  bytes: number;
  pings: number;
}

const directions = ['toServer', 'toClient'] as const satisfies Direction[];

/** `target` is a port of this machine; close it with the scope. Listens on any free port, or on the given one. */
export async function startFaultProxy(
  scope: TestScope,
  target: { readonly port: number },
  port?: number,
): Promise<FaultProxy> {
  const proxy = new FaultProxy(port ?? (await findFreePort()), target.port);
  await proxy.accept();
  onCleanup(scope, () => {
    proxy.refuse();
    proxy.cut();
  });
  return proxy;
}

export class FaultProxy {
  readonly #connections = new Set<FaultConnection>();
  readonly #listeners = new Set<(frame: Frame) => void>();
  #rules: RequestRule[] = [];
  readonly #silent = new Set<Direction>();
  #delayMs = 0;
  #server: Server | null = null;
  #connectionsSeen = 0;
  readonly counters: Readonly<Record<Direction, FrameCounters>> = {
    toServer: { frames: 0, bytes: 0, pings: 0 },
    toClient: { frames: 0, bytes: 0, pings: 0 },
  };

  constructor(
    readonly port: number,
    private readonly targetPort: number,
  ) {}

  /** What a client connects to. */
  get connect(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Ever accepted. */
  get connectionsSeen(): number {
    return this.#connectionsSeen;
  }

  /** Breaks every connection; new ones are accepted. */
  cut(): void {
    for (const connection of [...this.#connections]) connection.cut();
  }

  /** New connections are refused; the present ones go on. */
  refuse(): void {
    this.#server?.close();
    this.#server = null;
  }

  async accept(): Promise<void> {
    if (this.#server) return;
    this.#server = createServer((client) => this.#open(client));
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** From now on nothing passes in that direction, and sockets stay open. What was held goes on where it may pass again. */
  silence(direction: Direction | 'both' | 'none' = 'both'): void {
    this.#silent.clear();
    for (const each of directions) if (direction === each || direction === 'both') this.#silent.add(each);
    this.#applyToAll();
  }

  /** From now on everything takes this much longer, each way. */
  delay(ms: number): void {
    this.#delayMs = ms;
    this.#applyToAll();
  }

  /** No more silence, delay, refusal or rules. */
  async heal(): Promise<void> {
    this.#silent.clear();
    this.#delayMs = 0;
    this.dropRules();
    this.#applyToAll();
    await this.accept();
  }

  /** What was to become of single requests and replies that have not come yet. */
  dropRules(): void {
    this.#rules.length = 0;
  }

  /**
   * The next request that matches is forwarded; once the server has answered it, that reply is lost and the connection
   * cut. Resolves then, with the reply: its `error` is 0 where the write was applied.
   */
  swallowNextReply(match: RequestMatch): Promise<Frame> {
    return new Promise((done) => this.#rules.push({ kind: 'swallowReply', match, done }));
  }

  /** The next request that matches never reaches the server, and the connection is cut. Resolves with the request. */
  dropNextRequest(match: RequestMatch): Promise<Frame> {
    return new Promise((done) => this.#rules.push({ kind: 'dropRequest', match, done }));
  }

  /** Shows every frame as it arrives at the proxy, also in silence. Returns how to stop. */
  onFrame(listener: (frame: Frame) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves with the next frame that fits. */
  nextFrame(fits: (frame: Frame) => boolean): Promise<Frame> {
    return new Promise((resolve) => {
      const stop = this.onFrame((frame) => {
        if (!fits(frame)) return;
        stop();
        resolve(frame);
      });
    });
  }

  #open(client: Socket): void {
    this.#connectionsSeen++;
    const connection = new FaultConnection({
      number: this.#connectionsSeen,
      client,
      target: { host: '127.0.0.1', port: this.targetPort },
      rules: this.#rules,
      onFrame: (frame) => this.#count(frame),
      onClose: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    this.#apply(connection);
  }

  #applyToAll(): void {
    for (const connection of this.#connections) this.#apply(connection);
  }

  #apply(connection: FaultConnection): void {
    for (const direction of directions) {
      connection.lane(direction).setDelay(this.#delayMs);
      connection.lane(direction).setSilent(this.#silent.has(direction));
    }
  }

  #count(frame: Frame): void {
    const counters = this.counters[frame.direction];
    counters.frames++;
    counters.bytes += frame.bytes.length;
    if (frame.opcode === opcodes.ping || (frame.direction === 'toClient' && frame.xid === xids.ping)) counters.pings++;
    for (const listener of [...this.#listeners]) listener(frame);
  }
}
