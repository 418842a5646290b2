// The requests that we send and how their answers read. Encoded here, not by the npm client: its transactions turn
// version 0 into "any version", and it knows neither persistent watches nor sync. Paths are the server's (chroot on).

import { CoordinationError } from './coordination-error.ts';
import { type JuteReader, JuteWriter, type Stat } from './jute.ts';

/** ZooDefs.OpCode. */
export const opcodes = {
  remove: 2,
  create: 1,
  exists: 3,
  getData: 4,
  setData: 5,
  getChildren: 8,
  sync: 9,
  getChildren2: 12,
  check: 13,
  multi: 14,
  removeWatches: 18,
  multiRead: 22,
  setWatches: 101,
  addWatch: 106,
  error: -1,
} as const;

/** AddWatchMode.PERSISTENT_RECURSIVE. */
const persistentRecursive = 1;
/** Watcher.WatcherType: DATA is what `exists` sets, also where there is no znode; ANY all there is at the path, recursive ones too. */
const watcherTypes = { data: 2, any: 3 } as const;
/** ZooDefs.Perms.ALL. */
const allPermissions = 31;
const anyVersion = -1;
const createFlags = { persistent: 0, ephemeral: 1, sequential: 2 } as const;

/** One step of a transaction. `version` null means any; 0 means 0. */
export type Operation =
  | { readonly kind: 'create'; readonly path: string; readonly data: Buffer; readonly mode: keyof typeof createFlags }
  | { readonly kind: 'set'; readonly path: string; readonly data: Buffer; readonly version: number | null }
  | { readonly kind: 'remove'; readonly path: string; readonly version: number | null }
  | { readonly kind: 'check'; readonly path: string; readonly version: number | null };

/** Per operation: the path that a create made, the stat that a set left; null for the others. */
export interface OperationResult {
  /** The transaction, which is the czxid of what it has created. */
  readonly zxid: bigint;
  readonly path: string | null;
  readonly stat: Stat | null;
}

export interface Znode {
  readonly data: Buffer;
  readonly stat: Stat;
}

/**
 * What a transaction has just created, without reading it. The answer does not say when that was by the clock of the ensemble (in a
 * transaction ZooKeeper 3.8 answers `create2` as `create`): it is `createdAt`, epoch ms, of whoever asks.
 */
export function newZnode(data: Buffer, zxid: bigint, createdAt: number): Znode {
  const times = { ctime: createdAt, mtime: createdAt };
  const versions = { version: 0, cversion: 0, ephemeralOwner: 0n, numChildren: 0 };
  return { data, stat: { czxid: zxid, mzxid: zxid, pzxid: zxid, ...times, ...versions } };
}

/** A request without its header: opcode, body, and how to read the answer's body. */
export interface WireRequest<T> {
  readonly opcode: number;
  /** For messages: what was asked. */
  readonly what: string;
  readonly body: Buffer;
  /** Only the ensemble's leader can answer it; the other requests are answered by whatever server we are connected to. */
  readonly reachesLeader: boolean;
  /** `zxid`: of the answer, which for a write is its transaction. */
  decode(reader: JuteReader, zxid: bigint): T;
}

const noBody = (): void => undefined;

/** Who may touch what we create: everybody, or with digest credentials only who has them (ZooDefs.Ids.CREATOR_ALL_ACL). */
export type AccessControl = 'world' | 'creator';

export function existsRequest(path: string, watch: boolean): WireRequest<Stat> {
  const body = new JuteWriter().string(path).bool(watch).bytes();
  return {
    opcode: opcodes.exists,
    what: `exists ${path}`,
    reachesLeader: false,
    body,
    decode: (reader) => reader.stat(),
  };
}

/** Takes back the watch that {@link existsRequest} has set, or `any` that we have there; refused where there is none. */
export function removeWatchRequest(path: string, type: keyof typeof watcherTypes): WireRequest<void> {
  const body = new JuteWriter().string(path).int(watcherTypes[type]).bytes();
  return { opcode: opcodes.removeWatches, what: `a watch of ${path}`, reachesLeader: false, body, decode: noBody };
}

/** A read that may travel with others. */
export interface ReadOperation<T> {
  readonly opcode: number;
  readonly path: string;
  decode(reader: JuteReader): T;
}

export function dataAt(path: string): ReadOperation<Znode> {
  return { opcode: opcodes.getData, path, decode: readZnode };
}

export function childNamesAt(path: string): ReadOperation<string[]> {
  return { opcode: opcodes.getChildren, path, decode: readNames };
}

const readZnode = (reader: JuteReader): Znode => ({ data: reader.buffer(), stat: reader.stat() });
const readNames = (reader: JuteReader): string[] => reader.strings();

export function readRequest<T>({ opcode, path, decode }: ReadOperation<T>): WireRequest<T> {
  const body = new JuteWriter().string(path).bool(false).bytes();
  return { opcode, what: `a read of ${path}`, reachesLeader: false, body, decode };
}

/** Answers, in their order, with what was read, or with the code with which that one was refused. It sets no watches. */
export function multiReadRequest(operations: readonly ReadOperation<unknown>[]): WireRequest<readonly unknown[]> {
  const writer = new JuteWriter(32 + operations.length * 96);
  for (const { opcode, path } of operations) writer.int(opcode).bool(false).int(-1).string(path).bool(false);
  writer.int(-1).bool(true).int(-1);
  return {
    opcode: opcodes.multiRead,
    what: `${operations.length} reads, first ${operations[0]?.path}`,
    reachesLeader: false,
    body: writer.bytes(),
    decode: (reader) => readAnswers(reader, operations),
  };
}

/** Answers as MultiResponse has them; a code is the only one that is a number. */
function readAnswers(reader: JuteReader, operations: readonly ReadOperation<unknown>[]): unknown[] {
  const each: unknown[] = [];
  for (;;) {
    const opcode = reader.int();
    const done = reader.bool();
    reader.skip(4); // the header's own error, repeated in the body
    if (done) return each;
    each.push(opcode === opcodes.error ? reader.int() : operations[each.length]?.decode(reader));
  }
}

export function getChildrenRequest(path: string): WireRequest<{ children: string[]; stat: Stat }> {
  const body = new JuteWriter().string(path).bool(false).bytes();
  const decode = (reader: JuteReader) => ({ children: reader.strings(), stat: reader.stat() });
  return { opcode: opcodes.getChildren2, what: `list ${path}`, reachesLeader: false, body, decode };
}

/** The answer comes only after this server has applied all that the leader had committed when it was asked. */
export function syncRequest(path: string): WireRequest<void> {
  return {
    opcode: opcodes.sync,
    what: `sync ${path}`,
    reachesLeader: true,
    body: new JuteWriter().string(path).bytes(),
    decode: noBody,
  };
}

export function addRecursiveWatchRequest(path: string): WireRequest<void> {
  const body = new JuteWriter().string(path).int(persistentRecursive).bytes();
  return { opcode: opcodes.addWatch, what: `watch ${path}`, reachesLeader: false, body, decode: noBody };
}

/** Sets one-shot watches again; the server fires at once for what changed after `sinceZxid`. */
export function setWatchesRequest(
  sinceZxid: bigint,
  dataPaths: readonly string[],
  existPaths: readonly string[],
  childPaths: readonly string[] = [],
): WireRequest<void> {
  const writer = new JuteWriter().long(sinceZxid);
  for (const paths of [dataPaths, existPaths, childPaths]) {
    writer.int(paths.length);
    for (const path of paths) writer.string(path);
  }
  return {
    opcode: opcodes.setWatches,
    what: 'set watches',
    reachesLeader: false,
    body: writer.bytes(),
    decode: noBody,
  };
}

/** One atomic transaction. Its refusal names the operation that refused. */
export function multiRequest(
  operations: readonly Operation[],
  access: AccessControl,
  chroot: string,
): WireRequest<OperationResult[]> {
  const writer = new JuteWriter();
  for (const operation of operations) writeOperation(writer, operation, access, chroot);
  writer.int(-1).bool(true).int(-1);
  const what = `a transaction of ${operations.length}, first ${operations[0]?.kind} ${operations[0]?.path}`;
  return {
    opcode: opcodes.multi,
    what,
    reachesLeader: true,
    body: writer.bytes(),
    decode: (reader, zxid) => readResults(reader, zxid, operations),
  };
}

function writeOperation(writer: JuteWriter, operation: Operation, access: AccessControl, chroot: string): void {
  const path = chroot + operation.path;
  const header = (opcode: number) => writer.int(opcode).bool(false).int(-1).string(path);
  switch (operation.kind) {
    case 'create':
      header(opcodes.create).buffer(operation.data);
      writeAcl(writer, access);
      writer.int(createFlags[operation.mode]);
      break;
    case 'set':
      header(opcodes.setData)
        .buffer(operation.data)
        .int(operation.version ?? anyVersion);
      break;
    case 'remove':
      header(opcodes.remove).int(operation.version ?? anyVersion);
      break;
    case 'check':
      header(opcodes.check).int(operation.version ?? anyVersion);
      break;
  }
}

function writeAcl(writer: JuteWriter, access: AccessControl): void {
  writer.int(1).int(allPermissions);
  if (access === 'creator') writer.string('auth').string('');
  else writer.string('world').string('anyone');
}

/**
 * Reads MultiResponse. In a refused transaction every result is an error: 0 for those before the one that refused,
 * its own code there, and -2 (RuntimeInconsistency) for those after.
 */
function readResults(reader: JuteReader, zxid: bigint, operations: readonly Operation[]): OperationResult[] {
  const results: OperationResult[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int(); // the header's own error, repeated in the body
    if (done) return results;
    if (type === opcodes.error) {
      const code = reader.int();
      const operation = operations[results.length];
      if (code !== 0) {
        throw CoordinationError.refused(code, `${operation?.kind} ${operation?.path}`, results.length);
      }
    }
    results.push({
      zxid,
      path: type === opcodes.create ? reader.string() : null,
      stat: type === opcodes.setData ? reader.stat() : null,
    });
  }
}
