// node dist/bench/publish.js FILE...: puts the figures of some runs into docs/performance.md, between its two marks, with the machine
// that they are of, and draws the curves in docs/plots. What is said about the figures is for people to write.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Figure, formatNumber, parseFigures } from './figures.ts';
import { machineLine, parseHead } from './machine.ts';
import { drawCharts } from './plot.ts';
import { median } from './statistics.ts';
import { perTask } from './works/costs.ts';

const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const page = join(docs, 'performance.md');
const marks = { begin: '<!-- figures: made by bench/publish.ts -->', end: '<!-- end of figures -->' };

function section(text: string): string {
  const figures = parseFigures(text).filter(({ at, unit }) => at === undefined && unit !== perTask);
  if (figures.length === 0) return '';
  const rows = figures.map(({ figure, unit, values }: Figure) => {
    const [middle, low, high] = [median(values), Math.min(...values), Math.max(...values)].map(formatNumber);
    return `| ${figure} | ${middle} | ${low} to ${high} | ${unit} |`;
  });
  const { machine, sizes } = parseHead(text);
  const words = Object.entries(sizes).map(([name, value]) => `${name} ${value}`);
  return [
    `${machineLine(machine)} (${words.join(', ')}):`,
    '',
    '| | median | spread | |',
    '|---|---:|---:|---|',
    ...rows,
  ].join('\n');
}

const texts = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'));
const before = readFileSync(page, 'utf8');
const [begin, end] = [before.indexOf(marks.begin), before.indexOf(marks.end)];
if (begin < 0 || end < begin) throw new Error(`${page} lacks ${marks.begin} or ${marks.end}`);
const sections = texts.map(section).filter((text) => text !== '');
const middle = [marks.begin, ...sections, marks.end].join('\n\n');
writeFileSync(page, before.slice(0, begin) + middle + before.slice(end + marks.end.length));

mkdirSync(join(docs, 'plots'), { recursive: true });
for (const [file, svg] of drawCharts(texts.flatMap(parseFigures))) writeFileSync(join(docs, 'plots', file), svg);
