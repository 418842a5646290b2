// The bytes of ZooKeeper's protocol ("jute"): big-endian numbers, length-prefixed strings and buffers, -1 for null.
// Source: zookeeper.jute and ZooDefs.OpCode in ZooKeeper 3.8. Pure; zookeeper-requests.ts says which records exist.

/** `Stat` of a znode. Transaction ids are 64 bit and ordered; versions are 32 bit, wrap, and compare for equality only. */
export interface Stat {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  /** The last creation or removal of a child. */
  readonly pzxid: bigint;
  /** Creation and modification, epoch milliseconds of the leader's clock. */
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  /** The session that owns an ephemeral znode; 0n where it is not ephemeral. */
  readonly ephemeralOwner: bigint;
  readonly numChildren: number;
}

/** Appends to a buffer that grows by doubling. */
export class JuteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(expectedBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(expectedBytes);
  }

  int(value: number): this {
    this.#reserve(4);
    this.#length = this.#buffer.writeInt32BE(value, this.#length);
    return this;
  }

  long(value: bigint): this {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigInt64BE(value, this.#length);
    return this;
  }

  bool(value: boolean): this {
    this.#reserve(1);
    this.#length = this.#buffer.writeUInt8(value ? 1 : 0, this.#length);
    return this;
  }

  string(value: string): this {
    const bytes = Buffer.byteLength(value);
    this.int(bytes).#reserve(bytes);
    this.#length += this.#buffer.write(value, this.#length);
    return this;
  }

  /** Empty data is written as null, as zkCli's `create PATH` does, so that both look the same everywhere. */
  buffer(value: Buffer): this {
    if (value.length === 0) return this.int(-1);
    this.int(value.length).#reserve(value.length);
    this.#length += value.copy(this.#buffer, this.#length);
    return this;
  }

  get length(): number {
    return this.#length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** Reads in order from a buffer that it does not copy, except for data that is handed out. */
export class JuteReader {
  readonly #buffer: Buffer;
  #offset = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  skip(bytes: number): void {
    this.#offset += bytes;
  }

  int(): number {
    const value = this.#buffer.readInt32BE(this.#offset);
    this.#offset += 4;
    return value;
  }

  long(): bigint {
    const value = this.#buffer.readBigInt64BE(this.#offset);
    this.#offset += 8;
    return value;
  }

  bool(): boolean {
    const value = this.#buffer.readUInt8(this.#offset) !== 0;
    this.#offset += 1;
    return value;
  }

  /** Without its first `skippedBytes`. */
  string(skippedBytes = 0): string {
    const length = this.int();
    if (length <= 0) return '';
    const value = this.#buffer.toString('utf8', this.#offset + skippedBytes, this.#offset + length);
    this.#offset += length;
    return value;
  }

  /** A copy, so that a small piece of data does not keep a large packet alive. Null data is empty data. */
  buffer(): Buffer {
    const length = this.int();
    if (length <= 0) return Buffer.alloc(0);
    const value = Buffer.from(this.#buffer.subarray(this.#offset, this.#offset + length));
    this.#offset += length;
    return value;
  }

  strings(): string[] {
    const count = this.int();
    const values: string[] = [];
    for (let i = 0; i < count; i += 1) values.push(this.string());
    return values;
  }

  stat(): Stat {
    const czxid = this.long();
    const mzxid = this.long();
    const ctime = this.#milliseconds();
    const mtime = this.#milliseconds();
    const version = this.int();
    const cversion = this.int();
    this.skip(4); // aversion
    const ephemeralOwner = this.long();
    this.skip(4); // dataLength
    const numChildren = this.int();
    const pzxid = this.long();
    return { czxid, mzxid, pzxid, ctime, mtime, version, cversion, ephemeralOwner, numChildren };
  }

  /** A time is far below the 2^53 up to which a number is exact. */
  #milliseconds(): number {
    const value = this.#buffer.readInt32BE(this.#offset) * 2 ** 32 + this.#buffer.readUInt32BE(this.#offset + 4);
    this.#offset += 8;
    return value;
  }
}
