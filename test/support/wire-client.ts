// The smallest ZooKeeper client there is: writes single frames and shows what comes back. For tests of the harness itself,
// which must not depend on the adapter that the harness is there to test. (Fields: ZooKeeper's zookeeper.jute.)

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onCleanup, type TestScope } from './cleanup.ts';
import { FrameSplitter, opcodes } from './zookeeper-frames.ts';

export interface Reply {
  readonly xid: number;
  readonly error: number;
}

/** Connects a TCP socket; the handshake is a call of its own. */
export async function connectWire(scope: TestScope, port: number): Promise<WireClient> {
  const socket = connect(port, '127.0.0.1');
  const client = new WireClient(socket);
  onCleanup(scope, () => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return client;
}

export class WireClient {
  readonly closed: Promise<void>;
  readonly replies: Reply[] = [];
  readonly #splitter = new FrameSplitter('toClient', 0);
  readonly #onHandshake: (() => void)[] = [];
  readonly #onReply = new Map<number, (reply: Reply) => void>();
  #lastXid = 0;

  constructor(private readonly socket: Socket) {
    // How it ended is no matter here, only that it did.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk: Buffer) => {
      for (const { handshake, xid, error } of this.#splitter.push(chunk)) {
        if (handshake) this.#onHandshake.shift()?.();
        else this.#take({ xid: xid ?? 0, error: error ?? 0 });
      }
    });
  }

  /** Asks for a new session; resolves with its answer. */
  handshake(sessionTimeoutMs = 4000): Promise<void> {
    const body = Buffer.alloc(45);
    body.writeInt32BE(sessionTimeoutMs, 12);
    body.writeInt32BE(16, 24);
    this.#send(body);
    return new Promise((resolve) => this.#onHandshake.push(resolve));
  }

  /** Creates a persistent znode open to everybody. */
  create(path: string): Promise<Reply> {
    const openAcl = Buffer.concat([int32(1), int32(31), text('world'), text('anyone')]);
    return this.request(opcodes.create, Buffer.concat([text(path), int32(0), openAcl, int32(0)]));
  }

  async exists(path: string): Promise<boolean> {
    const reply = await this.request(3, Buffer.concat([text(path), Buffer.alloc(1)]));
    return reply.error === 0;
  }

  ping(): Promise<Reply> {
    return this.request(opcodes.ping, Buffer.alloc(0), -2);
  }

  request(opcode: number, fields: Buffer, xid = ++this.#lastXid): Promise<Reply> {
    this.#send(Buffer.concat([int32(xid), int32(opcode), fields]));
    return new Promise((resolve) => this.#onReply.set(xid, resolve));
  }

  #send(body: Buffer): void {
    this.socket.write(Buffer.concat([int32(body.length), body]));
  }

  #take(reply: Reply): void {
    this.replies.push(reply);
    this.#onReply.get(reply.xid)?.(reply);
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int32(bytes.length), bytes]);
}
