// Goal: a change is called one only where the spreads do not touch, in the direction that is better for the figure; what is
// written is what is read again; and a wrong option is told, not measured. Method: examples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareFigures } from '../../../bench/compare.ts';
import { type Figure, Figures, parseFigures, toJsonLine } from '../../../bench/figures.ts';
import { differences, type Head } from '../../../bench/machine.ts';
import { readBenchOptions } from '../../../bench/options.ts';
import { drawCharts } from '../../../bench/plot.ts';
import { median, percentile } from '../../../bench/statistics.ts';

const rate = (values: number[], at?: number): Figure => ({
  ...{ figure: 'W1: tasks', unit: '1/s', better: 'higher', values },
  ...(at !== undefined && { at }),
});
const time = (values: number[]): Figure => ({ figure: 'round trip', unit: 'ms', better: 'lower', values });

test('a change counts where the spreads do not touch', () => {
  const verdict = (before: Figure, now: Figure) => compareFigures([before], [now])[0]?.verdict;
  assert.equal(verdict(rate([100, 110]), rate([111, 150])), 'better');
  assert.equal(verdict(rate([100, 110]), rate([80, 99])), 'worse');
  assert.equal(verdict(rate([100, 110]), rate([110, 150])), 'same');
  assert.equal(verdict(time([5, 6]), time([3, 4])), 'better');
  assert.equal(verdict(time([5, 6]), time([7, 8])), 'worse');
});

test('figures are compared by their name and their place on a curve; the ratio is that of the medians', () => {
  const [change, ...more] = compareFigures([rate([100]), rate([10], 64)], [rate([30, 20, 10], 64), time([1])]);
  assert.deepEqual(more, []);
  assert.equal(change?.figure, 'W1: tasks at 64');
  assert.equal(change?.ratio, 2);
});

test('what is written is read again', () => {
  const figures = new Figures();
  const name = { figure: 'W1: tasks', unit: '1/s', better: 'higher' } as const;
  for (const value of [3, 1, 2]) figures.add(name, value);
  const lines = figures.list.map(toJsonLine);
  assert.equal(
    lines[0],
    '{"figure":"W1: tasks","unit":"1/s","better":"higher","median":2,"min":1,"max":3,"values":[3,1,2]}',
  );
  const [read] = parseFigures(`{"machine":{}}\n${lines.join('\n')}\n`);
  assert.deepEqual(read?.values, [3, 1, 2]);
});

test('medians and percentiles', () => {
  assert.equal(median([4, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.deepEqual([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile(hundred, 1)], [50, 99, 100]);
});

test('some works are chosen in the order of a whole run, and works that share stacks stay together', () => {
  assert.deepEqual(readBenchOptions(['--only', 'idle,takeover,W2,flat'])?.works, [
    ['W2'],
    ['flat', 'takeover'],
    ['idle'],
  ]);
  assert.equal(readBenchOptions(['--n', '20000'])?.sizes.tasks, 20_000);
  assert.throws(() => readBenchOptions(['--only', 'W9']), /there is no W9/);
  assert.throws(() => readBenchOptions(['--reps', '0']), /no number from 1 up/);
});

test('whoever compares is told of another machine, and of other sizes', () => {
  const machine = {
    ...{ cpu: 'one', cores: 2, memoryGb: 8, platform: 'linux x64', node: 'v20', zookeeper: '3.8.0' },
    ...{ commit: null, date: '2026-01-01' },
  };
  const head: Head = { machine, sizes: { tasks: 5000 } };
  assert.deepEqual(differences(head, { ...head, machine: { ...machine, commit: 'abc', date: '2026-02-02' } }), []);
  assert.equal(differences(head, { ...head, sizes: { tasks: 10 } }).length, 1);
  assert.equal(differences(head, { machine: { ...machine, cores: 64 }, sizes: { tasks: 10 } }).length, 2);
});

test('a curve is drawn from two points on, with its band', () => {
  const point = (at: number, values: number[]) => ({ ...rate(values, at), figure: 'tasks by POSTs in flight' });
  assert.deepEqual([...drawCharts([point(1, [5])]).keys()], []);
  const svg = drawCharts([point(64, [300, 500, 400]), point(1, [100, 100, 100])]).get('in-flight-rate.svg') ?? '';
  // From left to right, whatever the order; the axis goes to 600, so 400 is two thirds of the way up from 248 to 40.
  assert.match(svg, /<polyline points="64,213.3 616,109.3"/);
  assert.equal(svg.match(/<circle/g)?.length, 2);
});
