// What an overload run has measured, each figure with its bound where it has one, and the table of them. Pure.

export type Bound = { readonly atMost: number } | { readonly atLeast: number } | { readonly exactly: number };

export interface Figure {
  readonly scenario: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly bound: Bound | null;
}

export class Report {
  readonly figures: Figure[] = [];
  /** What was seen that must not be, in words: samples, since of one fault there may be thousands. */
  readonly faults: string[] = [];

  /** A value that is not a number breaks its bound: it was not measured. */
  add(scenario: string, figure: string, value: number, unit: string, bound: Bound | null = null): void {
    this.figures.push({ scenario, figure, value, unit, bound });
  }

  fault(scenario: string, what: string): void {
    this.faults.push(`${scenario}: ${what}`);
  }

  get broken(): readonly Figure[] {
    return this.figures.filter((figure) => !isKept(figure));
  }

  get isGood(): boolean {
    return this.broken.length === 0 && this.faults.length === 0;
  }

  /** Markdown, as wide as it needs to be, so that it can be read as it is. */
  table(): string {
    const head = ['scenario', 'figure', 'value', 'bound', ''];
    const rows = this.figures.map((figure) => [
      figure.scenario,
      figure.figure,
      `${rounded(figure.value)}${figure.unit === '' ? '' : ` ${figure.unit}`}`,
      boundText(figure.bound),
      figure.bound === null ? '' : isKept(figure) ? 'kept' : 'BROKEN',
    ]);
    const widths = head.map((title, column) =>
      Math.max(title.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
    );
    const line = (cells: readonly string[]) =>
      `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
    const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
    return [line(head), rule, ...rows.map(line), ...this.faults.map((fault) => `\n${fault}`)].join('\n');
  }
}

export function isKept({ value, bound }: Pick<Figure, 'value' | 'bound'>): boolean {
  if (bound === null) return true;
  if ('atMost' in bound) return value <= bound.atMost;
  if ('atLeast' in bound) return value >= bound.atLeast;
  return value === bound.exactly;
}

function boundText(bound: Bound | null): string {
  if (bound === null) return '';
  if ('atMost' in bound) return `at most ${rounded(bound.atMost)}`;
  if ('atLeast' in bound) return `at least ${rounded(bound.atLeast)}`;
  return `exactly ${bound.exactly}`;
}

/** Three digits are as much as such figures are worth. */
function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
