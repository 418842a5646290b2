// node dist/bench/publish.js [--page docs/failure-modes.md] FILE...: puts the figures of some runs into that page (docs/performance.md, unless
// said), between its two marks, with the machine that they are of, and draws the curves in docs/plots. What is said about the figures is for
// people to write.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { aimWords, type Figure, formatNumber, perTask } from './figures.ts';
import { machineLine } from './machine.ts';
import { drawCharts } from './plot.ts';
import { isDirty, parseRun, type Run } from './run-file.ts';
import { median } from './statistics.ts';

const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const marks = { begin: '<!-- figures: made by bench/publish.ts -->', end: '<!-- end of figures -->' };

function section(run: Run): string {
  const figures = run.figures.filter(({ at, unit }) => at === undefined && unit !== perTask);
  if (figures.length === 0) return '';
  const hasAims = figures.some(({ aim }) => aim !== undefined);
  const rows = figures.map((each: Figure) => {
    const { figure, unit, values } = each;
    const [middle, low, high] = [median(values), Math.min(...values), Math.max(...values)].map(formatNumber);
    return `| ${figure} | ${middle} | ${low} to ${high} | ${unit} |${hasAims ? ` ${aimWords(each)} |` : ''}`;
  });
  const { machine, sizes } = run.head;
  const words = Object.entries(sizes).map(([name, value]) => `${name} ${value}`);
  return [
    `${machineLine(machine)} (${words.join(', ')}):`,
    '',
    `| | median | spread | |${hasAims ? ' aim |' : ''}`,
    `|---|---:|---:|---|${hasAims ? '---|' : ''}`,
    ...rows,
  ].join('\n');
}

function readRun(file: string): Run {
  const run = parseRun(readFileSync(file, 'utf8'));
  if (isDirty(run)) throw new Error(`${file} is of ${run.head.machine.commit}: commit, then measure again`);
  return run;
}

const { values, positionals } = parseArgs({ options: { page: { type: 'string' } }, allowPositionals: true });
const page = values.page ?? join(docs, 'performance.md');
const runs = positionals.map(readRun);
const before = readFileSync(page, 'utf8');
const [begin, end] = [before.indexOf(marks.begin), before.indexOf(marks.end)];
if (begin < 0 || end < begin) throw new Error(`${page} lacks ${marks.begin} or ${marks.end}`);
const sections = runs.map(section).filter((text) => text !== '');
const middle = [marks.begin, ...sections, marks.end].join('\n\n');
writeFileSync(page, before.slice(0, begin) + middle + before.slice(end + marks.end.length));

mkdirSync(join(docs, 'plots'), { recursive: true });
for (const [file, svg] of drawCharts(runs.flatMap(({ figures }) => figures)))
  writeFileSync(join(docs, 'plots', file), svg);
