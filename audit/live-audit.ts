// The audit of a system that goes on working. Its tree is read bit by bit, so what the rules find there is a suspicion: each is looked at
// again, all that it is about at one moment, and only what is found there is told. A violation that is told was therefore there.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '../coordination/session.ts';
import { checksOf } from './audit-tree.ts';
import type { DatedFinding, Finding } from './finding.ts';
import { forEachAtOnce, inTurns } from './in-turns.ts';
import { askTogether, changedAt, type Moment } from './moment.ts';
import type { Suspect } from './suspicion.ts';
import { readTree } from './tree-reader.ts';
import type { TreeSnapshot } from './tree-snapshot.ts';

export interface AuditResult {
  readonly tree: TreeSnapshot;
  readonly findings: readonly DatedFinding[];
  /** Suspicions about what changed each time that it was looked at, or is too much for one look. */
  readonly unsettled: number;
  /** Suspicions beyond the number that is looked at again. */
  readonly dropped: number;
}

const settleMsDefault = 1000;
const suspectsMax = 10_000;
const looksInFlightMax = 8;

/** `settleMs` is how long what is seen on its way is let come there. Throws CoordinationError. */
export async function auditLive(session: Session, settleMs = settleMsDefault): Promise<AuditResult> {
  const tree = await readTree(session);
  const { suspects, dropped } = await suspectsIn(tree);
  if (suspects.length > 0) await sleep(settleMs);
  await session.sync('/');
  const findings: DatedFinding[] = [];
  let unsettled = 0;
  await forEachAtOnce(looksInFlightMax, suspects, async (suspect) => {
    const seen = await askTogether(session, tree, (look) => [...suspect(look)]);
    if (!seen) unsettled += 1;
    else for (const found of seen.answer) findings.push(await dated(session, seen.moment, found));
  });
  return { tree, findings, unsettled, dropped };
}

/** Of what may not be read it can be asked all the same when it was changed. */
async function dated(session: Session, moment: Moment, found: Finding): Promise<DatedFinding> {
  const stat = found.rule === 'hidden' ? await session.exists(found.path) : null;
  return { ...found, changedAt: stat?.mtime ?? changedAt(moment, found.path) };
}

async function suspectsIn(tree: TreeSnapshot): Promise<{ suspects: Suspect[]; dropped: number }> {
  const suspects: Suspect[] = [];
  let dropped = 0;
  for await (const { findings, suspect } of inTurns(checksOf(tree))) {
    if (findings.length === 0) continue;
    if (suspects.length < suspectsMax) suspects.push(suspect);
    else dropped += 1;
  }
  return { suspects, dropped };
}
