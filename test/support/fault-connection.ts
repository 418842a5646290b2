// One client connection through the fault proxy: a socket to the client, one to the server, a lane and a frame splitter
// each way, and the rules about single requests: forward it and lose its reply, or lose the request itself.

import { connect, type Socket } from 'node:net';
import { FaultLane } from './fault-lane.ts';
import { type Direction, type Frame, FrameSplitter } from './zookeeper-frames.ts';

/** `request` is the whole body: xid at 0, opcode at 4, the request's own fields from 8. */
export type RequestMatch = (opcode: number, request: Buffer) => boolean;

/** Waits for one request, on whichever connection it comes. */
export interface RequestRule {
  readonly kind: 'swallowReply' | 'dropRequest';
  readonly match: RequestMatch;
  /** With the reply that was swallowed, or the request that was dropped. */
  readonly done: (frame: Frame) => void;
}

export interface FaultConnectionOptions {
  readonly number: number;
  readonly client: Socket;
  readonly target: { readonly host: string; readonly port: number };
  /** Each rule is taken out of it by the request that it matches. */
  readonly rules: RequestRule[];
  readonly onFrame: (frame: Frame) => void;
  readonly onClose: () => void;
}

export class FaultConnection {
  readonly #server: Socket;
  readonly #lanes: Record<Direction, FaultLane>;
  /** Xid of a forwarded request whose reply is to be lost. */
  readonly #swallowing = new Map<number, RequestRule>();
  #closed = false;

  constructor(private readonly options: FaultConnectionOptions) {
    const { client, target, number } = options;
    this.#server = connect(target);
    this.#lanes = { toServer: new FaultLane(this.#server), toClient: new FaultLane(client) };
    this.#join(client, 'toServer', new FrameSplitter('toServer', number));
    this.#join(this.#server, 'toClient', new FrameSplitter('toClient', number));
  }

  lane(direction: Direction): FaultLane {
    return this.#lanes[direction];
  }

  /** Both sides see their connection break. */
  cut(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of [this.options.client, this.#server]) socket.destroy();
    for (const lane of Object.values(this.#lanes)) lane.destroy();
    this.options.onClose();
  }

  #join(source: Socket, direction: Direction, splitter: FrameSplitter): void {
    const lane = this.#lanes[direction];
    source.setNoDelay(true);
    source.on('data', (chunk: Buffer) => {
      for (const frame of splitter.push(chunk)) this.#pass(frame, lane);
    });
    source.on('end', () => lane.send(null));
    // A reset arrives as an error; 'close' follows and says all that there is to say.
    source.on('error', () => lane.send(null));
    source.on('close', () => this.#onSocketClose());
  }

  #pass(frame: Frame, lane: FaultLane): void {
    if (this.#closed) return;
    this.options.onFrame(frame);
    const rule = frame.direction === 'toServer' ? this.#ruleFor(frame) : this.#swallowedBy(frame);
    if (!rule) {
      lane.send(frame.bytes);
      return;
    }
    this.cut();
    rule.done(frame);
  }

  /** The rule that ends the connection at this request, if any. */
  #ruleFor(frame: Frame): RequestRule | null {
    const { rules } = this.options;
    const { opcode, xid, body } = frame;
    if (opcode === null || xid === null) return null;
    const index = rules.findIndex((rule) => rule.match(opcode, body));
    const [rule] = index < 0 ? [] : rules.splice(index, 1);
    if (rule?.kind === 'dropRequest') return rule;
    if (rule) this.#swallowing.set(xid, rule);
    return null;
  }

  #swallowedBy({ xid }: Frame): RequestRule | null {
    return (xid !== null && this.#swallowing.get(xid)) || null;
  }

  /** Once both sockets are gone; a lane that is silent keeps the other side from learning of it. */
  #onSocketClose(): void {
    if (this.options.client.destroyed && this.#server.destroyed) this.cut();
  }
}
