// Figures of two runs beside each other. A change counts only where the two spreads do not touch: single figures of a busy
// machine differ by a third from one minute to the next.

import { type Figure, formatNumber, formatTable, keyOf } from './figures.ts';
import { median } from './statistics.ts';

export interface Change {
  readonly figure: string;
  readonly unit: string;
  readonly before: number;
  readonly now: number;
  /** now / before. */
  readonly ratio: number;
  /** `same`: within the spread. */
  readonly verdict: 'better' | 'worse' | 'same';
}

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
  const isHigher = Math.min(...figure.values) > Math.max(...base.values);
  const isLower = Math.max(...figure.values) < Math.min(...base.values);
  const verdict = !isHigher && !isLower ? 'same' : isHigher === (figure.better === 'higher') ? 'better' : 'worse';
  return { figure: keyOf(figure), unit: figure.unit, before, now, ratio: now / before, verdict };
}

export function changeTable(changes: readonly Change[]): string {
  const head = ['figure', 'before', 'now', 'ratio', 'unit', ''];
  const rows = changes.map(({ figure, before, now, ratio, unit, verdict }) => {
    const words = { better: 'better', worse: 'WORSE', same: 'within the spread' };
    return [figure, formatNumber(before), formatNumber(now), ratio.toFixed(2), unit, words[verdict]];
  });
  return formatTable([head, ...rows]);
}
