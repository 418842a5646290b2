// What the logs of ZooKeeper servers say of bugs of its own: an exception in the middle of its agreement with the other servers after which it may
// have acknowledged what it has not kept (ZOOKEEPER-4394, ZOOKEEPER-4409, ZOOKEEPER-4643). Nothing that a fault may cause looks like that: a full disk is
// an IOException, a broken link a SocketException.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EnsembleBug } from '../record.ts';

const exception = /^java\.lang\.NullPointerException/;
const inAgreement = /^\s+at (org\.apache\.zookeeper\.server\.quorum\.\S+?)\(/;
/** Of the lines below an exception: where it was thrown. */
const framesMax = 3;

/** In the logs of a run, `zookeeper2.1.log`; one for each place of each server. */
export function ensembleBugsIn(logFolder: string): EnsembleBug[] {
  const found = new Map<string, EnsembleBug>();
  for (const file of readdirSync(logFolder).sort()) {
    const id = /^(zookeeper\d+)\.\d+\.log$/.exec(file)?.[1];
    if (id === undefined) continue;
    for (const where of placesOf(readFileSync(join(logFolder, file), 'utf8'))) {
      found.set(`${id} ${where}`, { kind: 'ensemble-bug', id, where });
    }
  }
  return [...found.values()];
}

/** The methods of the agreement in which it had a null where there must be something. */
export function* placesOf(log: string): Generator<string> {
  const lines = log.split('\n');
  for (const [place, line] of lines.entries()) {
    if (!exception.test(line)) continue;
    const frames = lines.slice(place + 1, place + 1 + framesMax);
    const where = frames.map((frame) => inAgreement.exec(frame)?.[1]).find((frame) => frame !== undefined);
    if (where !== undefined) yield where;
  }
}
