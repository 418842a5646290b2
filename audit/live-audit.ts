// The audit of a system that goes on working. Its tree is read bit by bit, so what the rules find there is a suspicion: each is looked at
// again, all that it is about at one moment, and only what is found there is told. A violation that is told was therefore there.

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../coordination/session.ts';
import { monotonicMs } from '../runtime/clock.ts';
import { checksOf } from './audit-tree.ts';
import type { Finding } from './finding.ts';
import { ask, lookAt, type Suspect } from './suspicion.ts';
import { readMoment, readTree } from './tree-reader.ts';
import type { TreeSnapshot } from './tree-snapshot.ts';

export interface AuditResult {
  readonly tree: TreeSnapshot;
  readonly findings: readonly Finding[];
  /** Suspicions about what changed each time that it was looked at, or is too much for one look. */
  readonly unsettled: number;
  /** Suspicions beyond the number that is looked at again. */
  readonly dropped: number;
}

/** What passes by itself, on its way from one moment to the next, has this long to do so. */
const settleMs = 1000;
const suspectsMax = 10_000;
const looksInFlightMax = 8;
/** What a suspicion is about may turn out to be more than was known of it. */
const looksMax = 5;
const znodesPerLookMax = 4000;
/** How long the copy is looked at without letting the session say that it lives. */
const turnMs = 20;

/** Throws CoordinationError. */
export async function auditLive(session: Session): Promise<AuditResult> {
  const tree = await readTree(session);
  const { suspects, dropped } = await suspectsIn(tree);
  if (suspects.length > 0) await sleep(settleMs);
  await session.sync('/');
  const findings: Finding[] = [];
  let unsettled = 0;
  const open = suspects.values();
  const lane = async () => {
    for (const suspect of open) {
      const found = await lookAgain(session, tree, suspect);
      if (found) findings.push(...found);
      else unsettled += 1;
    }
  };
  await Promise.all(Array.from({ length: looksInFlightMax }, lane));
  return { tree, findings, unsettled, dropped };
}

async function suspectsIn(tree: TreeSnapshot): Promise<{ suspects: Suspect[]; dropped: number }> {
  const suspects: Suspect[] = [];
  let dropped = 0;
  let restAt = monotonicMs() + turnMs;
  for (const { findings, suspect } of checksOf(tree)) {
    if (findings.length > 0) {
      if (suspects.length < suspectsMax) suspects.push(suspect);
      else dropped += 1;
    }
    if (monotonicMs() < restAt) continue;
    await nextTurn();
    restAt = monotonicMs() + turnMs;
  }
  return { suspects, dropped };
}

/** Null: it did not stand still for long enough to be seen at one moment. */
async function lookAgain(session: Session, tree: TreeSnapshot, suspect: Suspect): Promise<readonly Finding[] | null> {
  const wanted = new Set(ask(suspect, lookAt(tree)).paths);
  for (let look = 0; look < looksMax && wanted.size <= znodesPerLookMax; look += 1) {
    const moment = await readMoment(session, [...wanted]);
    const { findings, paths } = ask(suspect, lookAt(moment));
    const known = wanted.size;
    for (const path of paths) wanted.add(path);
    if (wanted.size === known) return findings;
  }
  return null;
}
