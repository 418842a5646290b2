// Figures of two runs beside each other. Single figures of a busy machine differ by a third from one minute to the next, so a
// change counts only where both runs have some values, the two spreads do not touch, and the medians are well apart. Two spreads of
// four values of the same thing are apart, in the one or the other direction, one time in 35; of three, one in ten.

import { type Figure, formatNumber, formatTable, keyOf } from './figures.ts';
import { median } from './statistics.ts';

export interface Change {
  readonly figure: string;
  readonly unit: string;
  readonly before: number;
  readonly now: number;
  /** now / before. */
  readonly ratio: number;
  readonly verdict: Verdict;
}

/** `same`: within the spread, or nearly so. `unknown`: too few values. */
type Verdict = 'better' | 'worse' | 'same' | 'unknown';

const valuesMin = 4;
/** Part of the median before. */
const changeMin = 0.1;

/** Those that both runs have. */
export function compareFigures(before: readonly Figure[], now: readonly Figure[]): Change[] {
  const known = new Map(before.map((figure) => [keyOf(figure), figure]));
  return now.flatMap((figure) => {
    const base = known.get(keyOf(figure));
    return base ? [changeOf(base, figure)] : [];
  });
}

function changeOf(base: Figure, figure: Figure): Change {
  const [before, now] = [median(base.values), median(figure.values)];
  const verdict = verdictOf(base, figure);
  return { figure: keyOf(figure), unit: figure.unit, before, now, ratio: now / before, verdict };
}

function verdictOf(base: Figure, figure: Figure): Verdict {
  const isExact = base.isExact === true && figure.isExact === true;
  if (!isExact && Math.min(base.values.length, figure.values.length) < valuesMin) return 'unknown';
  const [before, now] = [median(base.values), median(figure.values)];
  if (!isExact && Math.abs(now - before) <= changeMin * before) return 'same';
  const isHigher = Math.min(...figure.values) > Math.max(...base.values);
  const isLower = Math.max(...figure.values) < Math.min(...base.values);
  if (!isHigher && !isLower) return 'same';
  return isHigher === (figure.better === 'higher') ? 'better' : 'worse';
}

export function changeTable(changes: readonly Change[]): string {
  const head = ['figure', 'before', 'now', 'ratio', 'unit', ''];
  const rows = changes.map(({ figure, before, now, ratio, unit, verdict }) => {
    const words = { better: 'better', worse: 'WORSE', same: 'within the spread', unknown: 'too few values' };
    return [figure, formatNumber(before), formatNumber(now), formatNumber(ratio), unit, words[verdict]];
  });
  return formatTable([head, ...rows]);
}
