// Which runs of a line, of a task or of an exclusive key, were not over when the next one began, as their own lines tell. Pure.

import type { Moment } from '../record.ts';
import { byToken, type Run } from './runs.ts';

export interface Overlap {
  /** With the smaller token: what had to be over before the other began. */
  readonly older: Run;
  readonly newer: Run;
}

/** Each pair in which the older one left a line after the newer one's first. */
export function* overlaps(runs: readonly Run[]): Generator<Overlap> {
  const inOrder = [...runs].sort(byToken);
  const earliest = earliestStarts(inOrder);
  let open: Run[] = [];
  for (const [place, newer] of inOrder.entries()) {
    open = open.filter(({ lastAt }) => lastAt > (earliest[place] as Moment));
    for (const older of open) if (older.lastAt > newer.startAt) yield { older, newer };
    open.push(newer);
  }
}

/** For each place the earliest start from there on: what was over by then needs to be looked at no more. */
function earliestStarts(runs: readonly Run[]): Moment[] {
  const earliest = runs.map(({ startAt }) => startAt);
  for (let place = earliest.length - 2; place >= 0; place -= 1) {
    earliest[place] = Math.min(earliest[place] as Moment, earliest[place + 1] as Moment);
  }
  return earliest;
}
