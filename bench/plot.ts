// The curves of docs/performance.md as SVG, drawn from the figures of a run with `--only growth`. The line is the median, the band
// the spread. Pure.

import type { Figure } from './figures.ts';
import { median } from './statistics.ts';

interface Chart {
  readonly file: string;
  readonly title: string;
  readonly axis: string;
  readonly figure: string;
  /** Each step to the right is a multiple, not a sum. */
  readonly isLogarithmic: boolean;
}

const charts: readonly Chart[] = [
  chart('in-flight-rate', 'W1: tasks a second', 'POSTs in flight', 'tasks by POSTs in flight', true),
  chart('in-flight-transactions', 'Transactions a task', 'POSTs in flight', 'transactions by POSTs in flight', true),
  chart('kept-rate', 'W1: tasks a second', 'finished tasks kept', 'W1 by tasks kept', false),
  chart('kept-latency', 'W2, one at a time: median, ms', 'finished tasks kept', 'round trip p50 by tasks kept', false),
  chart('kept-memory', 'Memory of the master, MB', 'finished tasks kept', 'memory of the master by tasks kept', false),
];

function chart(file: string, title: string, axis: string, figure: string, isLogarithmic: boolean): Chart {
  return { file, title, axis, figure, isLogarithmic };
}

interface Point {
  readonly at: number;
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

const [width, height] = [640, 300];
const frame = { left: 64, right: 616, top: 40, bottom: 248 };

function drawChart({ title, axis, isLogarithmic }: Chart, figures: readonly Figure[]): string {
  const points = figures.map(pointOf).sort((a, b) => a.at - b.at);
  const place = (at: number) => (isLogarithmic ? Math.log(at) : at);
  const [from, to] = [place(points[0]?.at ?? 0), place(points.at(-1)?.at ?? 1)];
  const top = niceCeiling(Math.max(...points.map(({ high }) => high)));
  const x = (at: number) => round(frame.left + ((place(at) - from) / (to - from)) * (frame.right - frame.left));
  const y = (value: number) => round(frame.bottom - (value / top) * (frame.bottom - frame.top));
  const path = (values: readonly [number, number][]) => values.map(([at, value]) => `${x(at)},${y(value)}`).join(' ');
  const band = [
    ...points.map(({ at, high }): [number, number] => [at, high]),
    ...points.toReversed().map(({ at, low }): [number, number] => [at, low]),
  ];
  const steps = [0, 0.25, 0.5, 0.75, 1].map((part) => Number((part * top).toPrecision(3)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${frame.left}" y="22" font-size="14" fill="#222">${title}</text>`,
    ...steps.flatMap((value) => [
      `<line x1="${frame.left}" x2="${frame.right}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>`,
      `<text x="${frame.left - 8}" y="${y(value) + 4}" text-anchor="end" fill="#555">${value}</text>`,
    ]),
    ...points.map(
      ({ at }) => `<text x="${x(at)}" y="${frame.bottom + 18}" text-anchor="middle" fill="#555">${at}</text>`,
    ),
    `<text x="${frame.right}" y="${height - 8}" text-anchor="end" fill="#222">${axis}</text>`,
    `<polygon points="${path(band)}" fill="#3572b0" opacity="0.2"/>`,
    `<polyline points="${path(points.map(({ at, middle }) => [at, middle]))}" fill="none" stroke="#3572b0" stroke-width="2"/>`,
    ...points.map(({ at, middle }) => `<circle cx="${x(at)}" cy="${y(middle)}" r="3" fill="#3572b0"/>`),
    '</svg>\n',
  ].join('\n');
}

function pointOf({ at = 0, values }: Figure): Point {
  return { at, middle: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** 1, 1.6, 2, 3, 4, 6 or 8 times a power of ten: its quarters are numbers that one can read. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.6, 2, 3, 4, 6, 8].find((step) => step * power >= value) ?? 10) * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Those for which there are points, by the name of their file. */
export function drawCharts(figures: readonly Figure[]): Map<string, string> {
  const drawn = charts.map((each) => {
    const points = figures.filter(({ figure }) => figure === each.figure);
    return [`${each.file}.svg`, points.length > 1 ? drawChart(each, points) : ''] as const;
  });
  return new Map(drawn.filter(([, svg]) => svg !== ''));
}
