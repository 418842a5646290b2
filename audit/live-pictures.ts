// What masters know, compared with a tree that goes on. A picture is no moment of the tree, so a difference is told only where two pictures,
// a second apart, have the very same one from a tree that stood still meanwhile. (What was not there before and is not there after may have been there
// twice in between; but then the pictures tell of two.)

import { setTimeout as sleep } from 'node:timers/promises';
import { leaderOf } from '../coordination/leader-address.ts';
import type { Session } from '../coordination/session.ts';
import { paths } from '../coordination/znode-paths.ts';
import { type Comparison, comparisonsOf } from './compare-picture.ts';
import { type DatedFinding, finding } from './finding.ts';
import { forEachAtOnce, inTurns } from './in-turns.ts';
import { fetchPicture, type MasterPicture, NoPicture } from './master-picture.ts';
import { askTogether, changedAt, isWithin, type Moment } from './moment.ts';
import { lookAt } from './suspicion.ts';
import type { TreeSnapshot } from './tree-snapshot.ts';

const answerMs = 60_000;
const standingMs = 1000;
const comparisonsMax = 5000;
const looksInFlightMax = 8;
/** Of what is said of one difference. */
const charactersMax = 1000;

/** Those that are asked for, and the one that leads, where `/master` says how it can be asked. */
export function mastersToAsk(wanted: readonly string[], tree: TreeSnapshot): string[] {
  const master = tree.get(paths.master);
  const leader = master && !master.isHidden ? leaderOf(master) : null;
  return [...new Set([...(leader?.kind === 'ours' ? [leader.address] : []), ...wanted])];
}

/** `tree` is a copy that was just read. Throws CoordinationError. */
export async function pictureFindings(session: Session, address: string, tree: TreeSnapshot): Promise<DatedFinding[]> {
  try {
    return await compare(session, address, tree);
  } catch (error) {
    if (!(error instanceof NoPicture)) throw error;
    const what = `: master ${address} could not be asked: ${error.message}`;
    return [{ ...finding('picture-missing', paths.master, what), changedAt: null }];
  }
}

async function compare(session: Session, address: string, tree: TreeSnapshot): Promise<DatedFinding[]> {
  const first = await picture(address);
  const suspected = await differencesIn(first, tree);
  if (suspected.length === 0) return [];
  const before = new Map<Comparison, Moment>();
  await forEachAtOnce(looksInFlightMax, suspected, async (comparison) => {
    const seen = await askTogether(session, tree, (look) => comparison.differs(first, look));
    if (seen) before.set(comparison, seen.moment);
  });
  await sleep(standingMs);
  const second = await picture(address);
  const findings: DatedFinding[] = [];
  await forEachAtOnce(looksInFlightMax, before, async ([{ path, differs }, standing]) => {
    const seen = await askTogether(session, standing, (look) => [differs(first, look), differs(second, look)]);
    const [once, again = null] = seen?.answer ?? [];
    if (!seen || again === null || again !== once || !isWithin(seen.moment, standing)) return;
    const what = `is not as master ${address} has it: ${again.slice(0, charactersMax)}`;
    findings.push({ ...finding('picture-differs', path, what), changedAt: changedAt(seen.moment, path) });
  });
  return findings;
}

function picture(address: string): Promise<MasterPicture> {
  return fetchPicture(address, AbortSignal.timeout(answerMs));
}

async function differencesIn(first: MasterPicture, tree: TreeSnapshot): Promise<Comparison[]> {
  const look = lookAt(tree);
  const suspected: Comparison[] = [];
  for await (const comparison of inTurns(comparisonsOf(first, tree))) {
    if (suspected.length < comparisonsMax && comparison.differs(first, look) !== null) suspected.push(comparison);
  }
  return suspected;
}
