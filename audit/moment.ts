// Looking at a live tree so that all that is looked at is of one moment: what a question turns out to be about is read together, as often
// as it turns out to be about more.

import type { Session } from '../coordination/session.ts';
import type { Look } from './suspicion.ts';
import { readMoment } from './tree-reader.ts';
import type { SnapshotNode } from './tree-snapshot.ts';

/** Znodes of one moment; null: there was none. */
export type Moment = ReadonlyMap<string, SnapshotNode | null>;

export interface Answer<T> {
  readonly answer: T;
  /** All that the answer follows from. */
  readonly moment: Moment;
}

const looksMax = 5;
const znodesPerLookMax = 4000;

/**
 * Asks `question` of the tree; `known` is an older copy, which shows what it is about. Null: it did not stand still for long enough, or is
 * about more than one look can show. Throws CoordinationError.
 */
export async function askTogether<T>(
  session: Session,
  known: Moment,
  question: (look: Look) => T,
): Promise<Answer<T> | null> {
  const wanted = askOf(known, question).asked;
  for (let look = 0; look < looksMax && wanted.size <= znodesPerLookMax; look += 1) {
    const moment = await readMoment(session, [...wanted]);
    const { answer, asked } = askOf(moment, question);
    const knownBefore = wanted.size;
    for (const path of asked) wanted.add(path);
    if (wanted.size === knownBefore) return { answer, moment };
  }
  return null;
}

/** When a znode, or one below it, was last created or set, as far as it is in the moment (epoch ms); null: it is not there, or hidden. */
export function changedAt(moment: Moment, path: string): number | null {
  if (!moment.get(path)) return null;
  const times = [...moment]
    .filter(([each, node]) => node && !node.isHidden && (each === path || each.startsWith(`${path}/`)))
    .map(([, node]) => node?.stat.mtime ?? 0);
  return times.length > 0 ? Math.max(...times) : null;
}

/** Every one of its znodes is the same in the other. */
export function isWithin(moment: Moment, other: Moment): boolean {
  return [...moment].every(([path, node]) => {
    const before = other.get(path);
    if (before === undefined || !before || !node) return before === node;
    const { mzxid, pzxid, czxid } = before.stat;
    return mzxid === node.stat.mzxid && pzxid === node.stat.pzxid && czxid === node.stat.czxid;
  });
}

function askOf<T>(moment: Moment, question: (look: Look) => T): { answer: T; asked: Set<string> } {
  const asked = new Set<string>();
  const answer = question((path) => {
    asked.add(path);
    return moment.get(path) ?? null;
  });
  return { answer, asked };
}
