// What was measured: each figure with its unit, one value a repetition, and so its spread. Written as JSON lines, which
// `--compare` and bench/plot.ts read again, and as a table for people.

import { median } from './statistics.ts';

export interface FigureName {
  readonly figure: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Of a curve: the place on its axis. */
  readonly at?: number;
  /** Counted, and the same each time: one value says it all. */
  readonly isExact?: true;
  /** What the median is to be at least, or at most where lower is better; with `aimOf`, the worst value. */
  readonly aim?: number;
  readonly aimOf?: 'worst';
}

export interface Figure extends FigureName {
  readonly values: number[];
}

/** The unit of what is counted, not timed. */
export const perTask = 'per task';

export class Figures {
  readonly #known = new Map<string, Figure>();

  /** One more value of the figure; none where the platform does not tell it (NaN). */
  add(name: FigureName, value: number): void {
    if (Number.isNaN(value)) return;
    const key = keyOf(name);
    const figure = this.#known.get(key) ?? { ...name, values: [] };
    this.#known.set(key, figure);
    figure.values.push(value);
  }

  get list(): Figure[] {
    return [...this.#known.values()];
  }
}

export function keyOf({ figure, at }: FigureName): string {
  return at === undefined ? figure : `${figure} at ${at}`;
}

/** Null: nothing is aimed at. */
export function isAimKept({ aim, aimOf, better, values }: Figure): boolean | null {
  if (aim === undefined) return null;
  const worst = better === 'higher' ? Math.min(...values) : Math.max(...values);
  const value = aimOf === 'worst' ? worst : median(values);
  return better === 'higher' ? value >= aim : value <= aim;
}

/** Empty: nothing is aimed at. */
export function aimWords(figure: Figure): string {
  const isKept = isAimKept(figure);
  return isKept === null ? '' : isKept ? 'kept' : 'missed';
}

export function toJsonLine({ values, ...name }: Figure): string {
  const spread = { median: median(values), min: Math.min(...values), max: Math.max(...values) };
  return JSON.stringify({ ...name, ...spread, values }, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value,
  );
}

/** Those of a file; its first line is the machine. */
export function parseFigures(text: string): Figure[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{"figure"'))
    .map((line) => JSON.parse(line) as Figure);
}

/** As many digits as people read. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  const pad = (cell: string, i: number) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0));
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** With the aims, where there are any. */
export function figureTable(figures: readonly Figure[]): string {
  const hasAims = figures.some(({ aim }) => aim !== undefined);
  const head = ['figure', 'median', 'lowest', 'highest', 'unit', ...(hasAims ? ['aim'] : [])];
  const rows = figures.map((figure) => {
    const { values, unit } = figure;
    const numbers = [median(values), Math.min(...values), Math.max(...values)].map(formatNumber);
    return [keyOf(figure), ...numbers, unit, ...(hasAims ? [aimWords(figure)] : [])];
  });
  return formatTable([head, ...rows]);
}
