// What one process asks of ZooKeeper, counted on the wire by the proxy in front of it: transactions and the operations in them,
// reads one by one and many at once, watch events, bytes each way. What comes by the clock and not by the task is kept apart:
// heartbeats (`sync` of the root), and what has to do with `/backlog`, which is written at most once a second.

import { JuteReader } from '../../coordination/jute.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { operationsOf } from './wire-operations.ts';
import { type Frame, opcodes, xids } from './zookeeper-frames.ts';

export interface Costs {
  readonly transactions: number;
  /** In transactions. */
  readonly operations: number;
  /** Requests that read one znode, or look whether it is there. */
  readonly reads: number;
  /** Requests that read many znodes at once. */
  readonly multiReads: number;
  /** Znodes that those read. */
  readonly multiReadZnodes: number;
  /** Requests of other kinds: sync, watches. */
  readonly others: number;
  readonly events: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
}

export const noCosts: Costs = {
  ...{ transactions: 0, operations: 0, reads: 0, multiReads: 0, multiReadZnodes: 0 },
  ...{ others: 0, events: 0, bytesOut: 0, bytesIn: 0 },
};

export const costNames = Object.keys(noCosts) as (keyof Costs)[];

export function addCosts(a: Costs, b: Costs): Costs {
  return mapCosts(a, (value, name) => value + b[name]);
}

export function mapCosts(costs: Costs, change: (value: number, name: keyof Costs) => number): Costs {
  return Object.fromEntries(costNames.map((name) => [name, change(costs[name], name)])) as unknown as Costs;
}

interface Request {
  readonly kind: 'task' | 'clock' | 'heartbeat';
  readonly costs: Partial<Costs>;
}

const readOpcodes: ReadonlySet<number> = new Set([
  opcodes.exists,
  opcodes.getData,
  opcodes.getChildren,
  opcodes.getChildren2,
]);

export class RequestMeter {
  #costs = noCosts;
  /** Requests that are not answered yet: what their answers are counted as. */
  readonly #open = new Map<string, Request['kind']>();
  /** Requests so far by kind, heartbeats and what the clock causes among them. */
  readonly requests = { task: 0, clock: 0, heartbeat: 0 };
  #frames = 0;

  /** `chroot` is what the paths of the process begin with. */
  constructor(
    proxy: FaultProxy,
    private readonly chroot: string,
  ) {
    proxy.onFrame((frame) => this.#take(frame));
  }

  /** Since the last time. */
  take(): Costs {
    const costs = this.#costs;
    this.#costs = noCosts;
    return costs;
  }

  /** Grows with whatever counts as the tasks' and passes; nothing is on its way while `open` is 0. */
  get activity(): { readonly frames: number; readonly open: number } {
    return { frames: this.#frames, open: this.#open.size };
  }

  #take(frame: Frame): void {
    if (frame.xid === null || frame.handshake) return;
    if (frame.direction === 'toServer') this.#onRequest(frame, frame.xid);
    else if (frame.xid === xids.watchEvent) this.#onEvent(frame);
    else this.#onAnswer(frame, frame.xid);
  }

  #onRequest(frame: Frame, xid: number): void {
    const { kind, costs } = this.#requestOf(frame);
    this.#open.set(`${frame.connection}/${xid}`, kind);
    this.requests[kind] += 1;
    if (kind === 'task') this.#count({ ...costs, bytesOut: frame.bytes.length });
  }

  #onAnswer(frame: Frame, xid: number): void {
    const key = `${frame.connection}/${xid}`;
    const kind = this.#open.get(key);
    this.#open.delete(key);
    if (kind === 'task') this.#count({ bytesIn: frame.bytes.length });
  }

  #onEvent({ body, bytes }: Frame): void {
    const reader = new JuteReader(body.subarray(24)); // xid, zxid, error, type, state
    if (!this.#isByClock(reader.string())) this.#count({ events: 1, bytesIn: bytes.length });
  }

  #count(costs: Partial<Costs>): void {
    this.#frames += 1;
    this.#costs = addCosts(this.#costs, { ...noCosts, ...costs });
  }

  #requestOf({ opcode, body }: Frame): Request {
    const path = () => new JuteReader(body.subarray(8)).string();
    if (opcode === opcodes.multi) return this.#transaction(body);
    if (opcode === opcodes.multiRead) {
      return { kind: 'task', costs: { multiReads: 1, multiReadZnodes: operationsOf(body).length } };
    }
    if (opcode === opcodes.ping || (opcode === opcodes.sync && [this.chroot, '/'].includes(path()))) {
      return { kind: 'heartbeat', costs: {} };
    }
    if (opcode === null || !readOpcodes.has(opcode)) return { kind: 'task', costs: { others: 1 } };
    return { kind: this.#isByClock(path()) ? 'clock' : 'task', costs: { reads: 1 } };
  }

  /** One that does nothing but write `/backlog`, under the guards of the leader, is the clock's. */
  #transaction(body: Buffer): Request {
    const operations = operationsOf(body);
    const own = operations.filter(({ path }) => !this.#isByClock(path));
    const isByClock = own.length < operations.length && own.every(({ opcode }) => opcode === opcodes.check);
    return { kind: isByClock ? 'clock' : 'task', costs: { transactions: 1, operations: own.length } };
  }

  #isByClock(path: string): boolean {
    return path === this.chroot + paths.backlog;
  }
}
