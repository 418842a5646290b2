// ZooKeeper's wire format as far as the fault proxy needs it: a stream is frames of a 4-byte length and a body. The first
// frame each way is the connect handshake; after it a request begins with xid and opcode, a reply with xid, zxid and
// error code. A stream that is something else (TLS, a four-letter word) is passed on as it comes.

export type Direction = 'toServer' | 'toClient';

export const opcodes = {
  ping: 11,
  closeSession: -11,
  multi: 14,
  multiRead: 22,
  create: 1,
  create2: 15,
  remove: 2,
  check: 13,
  exists: 3,
  getData: 4,
  getChildren: 8,
  getChildren2: 12,
  sync: 9,
  setData: 5,
} as const;
/** Xids of what is no reply to a request of the client. */
export const xids = { watchEvent: -1, ping: -2, auth: -4, setWatches: -8 } as const;

export interface Frame {
  readonly direction: Direction;
  /** From 1, in the order in which clients connected. */
  readonly connection: number;
  readonly handshake: boolean;
  /** Null in a handshake, and in bytes that are no frames. */
  readonly xid: number | null;
  /** Of requests only. */
  readonly opcode: number | null;
  /** Of replies only: 0 means done. */
  readonly error: number | null;
  /** Without the length: a request's own fields begin at 8, a reply's at 16. Empty where the bytes are no frames. */
  readonly body: Buffer;
  /** What is to be passed on. */
  readonly bytes: Buffer;
}

/** No packet of ours or of the server's is larger; what claims to be is no packet. */
const frameBytesMax = 64 * 1024 * 1024;

/** Cuts one direction of one connection into frames; bytes of an unfinished frame wait for the rest. */
export class FrameSplitter {
  #pending: Buffer = Buffer.alloc(0);
  #handshakeSeen = false;
  #opaque = false;

  constructor(
    private readonly direction: Direction,
    private readonly connection: number,
  ) {}

  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (!this.#opaque && rest.length >= 4) {
      const length = rest.readInt32BE(0);
      this.#opaque = length < 0 || length > frameBytesMax;
      if (this.#opaque || rest.length < 4 + length) break;
      frames.push(this.#frame(rest.subarray(0, 4 + length)));
      rest = rest.subarray(4 + length);
    }
    if (this.#opaque && rest.length > 0) {
      frames.push({ ...this.#noFields(rest), handshake: false, body: Buffer.alloc(0) });
      rest = Buffer.alloc(0);
    }
    this.#pending = rest;
    return frames;
  }

  #frame(bytes: Buffer): Frame {
    const body = bytes.subarray(4);
    const handshake = !this.#handshakeSeen;
    this.#handshakeSeen = true;
    const fields = { ...this.#noFields(bytes), handshake, body };
    if (handshake || body.length < 8) return fields;
    const xid = body.readInt32BE(0);
    if (this.direction === 'toServer') return { ...fields, xid, opcode: body.readInt32BE(4) };
    return { ...fields, xid, error: body.length < 16 ? null : body.readInt32BE(12) };
  }

  #noFields(bytes: Buffer) {
    const { direction, connection } = this;
    return { direction, connection, xid: null, opcode: null, error: null, bytes };
  }
}
