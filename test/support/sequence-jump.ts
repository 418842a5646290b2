// Brings the sequence of a znode's children near its end, which takes two billion creations otherwise: each transaction that creates
// a child has in the server's log how many there were, and who reads the log again believes it. Formats: FileTxnLog, CreateTxn.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestSession } from './stack-session.ts';
import type { TestZooKeeper } from './zookeeper-server.ts';

const fileHeaderBytes = 16;

/** The next sequential child of `parent` gets `number`; a child `mark` stays there. The server is killed and started again. */
export async function jumpTo(zookeeper: TestZooKeeper, session: TestSession, parent: string, number: number) {
  const path = `${parent}/mark-${number}`;
  await session.create(path, 'mark');
  await zookeeper.kill();
  if (!logsOf(zookeeper).some((log) => patch(log, path, number))) throw new Error(`no log has ${path}`);
  await zookeeper.start();
}

function logsOf({ dataDir }: TestZooKeeper): string[] {
  const folder = join(dataDir, 'version-2');
  const names = readdirSync(folder).filter((name) => name.startsWith('log.'));
  return names.map((name) => join(folder, name));
}

/** False where it has no transaction that creates a znode whose path ends so. */
function patch(log: string, path: string, creations: number): boolean {
  const bytes = readFileSync(log);
  for (let at = fileHeaderBytes; at + 12 < bytes.length; ) {
    const length = bytes.readInt32BE(at + 8);
    if (length === 0) return false;
    const entry = bytes.subarray(at + 12, at + 12 + length);
    const found = entry.indexOf(path);
    if (found >= 0) {
      entry.writeInt32BE(creations, afterCreate(entry, found + path.length));
      bytes.writeBigInt64BE(BigInt(adler32(entry)), at);
      writeFileSync(log, bytes);
      return true;
    }
    at += 12 + length + 1;
  }
  return false;
}

/** Where the count stands that follows data, ACL and the flag for ephemerals; `at` is the end of the path. */
function afterCreate(entry: Buffer, at: number): number {
  let place = at + 4 + Math.max(0, entry.readInt32BE(at));
  const entries = entry.readInt32BE(place);
  place += 4;
  for (let count = 0; count < entries; count += 1) {
    place += 4; // permissions
    for (const _text of ['scheme', 'id']) place += 4 + entry.readInt32BE(place);
  }
  return place + 1;
}

function adler32(bytes: Buffer): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return ((b << 16) | a) >>> 0;
}
