// Goal: a change is called one only where there are values enough, the spreads do not touch and the medians are apart, in the
// direction that is better for the figure; what is written is what is read again; a percentile has requests enough; and a wrong
// option or file is told, not measured. Method: examples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeTable, compareFigures } from '../../../bench/compare.ts';
import { readFailoverOptions } from '../../../bench/failover/options.ts';
import { type Figure, Figures, figureTable, isAimKept, parseFigures, toJsonLine } from '../../../bench/figures.ts';
import { latency } from '../../../bench/loads.ts';
import { differences, type Head } from '../../../bench/machine.ts';
import { readBenchOptions } from '../../../bench/options.ts';
import { drawCharts } from '../../../bench/plot.ts';
import { isDirty, parseRun } from '../../../bench/run-file.ts';
import { median, percentile } from '../../../bench/statistics.ts';
import { RunScope } from '../../support/run-scope.ts';

const rate = (values: number[], at?: number): Figure => ({
  ...{ figure: 'W1: tasks', unit: '1/s', better: 'higher', values },
  ...(at !== undefined && { at }),
});
const time = (values: number[]): Figure => ({ figure: 'round trip', unit: 'ms', better: 'lower', values });

const machine = {
  ...{ cpu: 'one', cores: 2, memoryGb: 8, platform: 'linux x64', node: 'v20', zookeeper: '3.8.0' },
  ...{ commit: null, date: '2026-01-01' },
};
const verdict = (before: Figure, now: Figure) => compareFigures([before], [now])[0]?.verdict;

test('a change counts where the spreads do not touch and the medians are apart', () => {
  const before = rate([100, 105, 105, 110]);
  assert.equal(verdict(before, rate([111, 120, 130, 150])), 'better');
  assert.equal(verdict(before, rate([80, 90, 90, 99])), 'worse');
  assert.equal(verdict(before, rate([110, 130, 140, 150])), 'same');
  assert.equal(verdict(before, rate([111, 112, 113, 114])), 'same');
  assert.equal(verdict(time([5, 5, 6, 6]), time([3, 4, 4, 4])), 'better');
  assert.equal(verdict(time([5, 5, 6, 6]), time([7, 7, 8, 8])), 'worse');
});

test('of fewer than four values on either side nothing is said, but of exact counts', () => {
  assert.equal(verdict(rate([1, 1, 1]), rate([9, 9, 9, 9])), 'unknown');
  assert.equal(verdict(rate([1, 1, 1, 1]), rate([9, 9, 9])), 'unknown');
  const counted = (value: number, isExact: object = { isExact: true }): Figure => ({ ...time([value]), ...isExact });
  assert.equal(verdict(counted(20), counted(21)), 'worse');
  assert.equal(verdict(counted(20), counted(20)), 'same');
  assert.equal(verdict(counted(20), counted(21, {})), 'unknown');
});

test('nothing before and nothing now have no ratio', () => {
  assert.match(changeTable(compareFigures([time([0])], [time([0])])), /0\.00 +0\.00 +- +ms/);
});

test('an aim is kept by the median, from above or from below', () => {
  assert.equal(isAimKept({ ...rate([1, 2, 9]), aim: 2 }), true);
  assert.equal(isAimKept({ ...rate([1, 1.9, 9]), aim: 2 }), false);
  assert.equal(isAimKept({ ...time([1, 2, 9]), aim: 2 }), true);
  assert.equal(isAimKept({ ...time([1, 2.1, 9]), aim: 2 }), false);
  assert.equal(isAimKept(rate([1])), null);
});

test('an aim for the worst is kept by no less than all', () => {
  const worst = { aim: 2, aimOf: 'worst' } as const;
  assert.equal(isAimKept({ ...rate([2, 3, 9]), ...worst }), true);
  assert.equal(isAimKept({ ...rate([1.9, 3, 9]), ...worst }), false);
  assert.equal(isAimKept({ ...time([1, 1, 2]), ...worst }), true);
  assert.equal(isAimKept({ ...time([1, 1, 2.1]), ...worst }), false);
  assert.match(figureTable([{ ...time([1, 1, 2.1]), ...worst }, time([5])]), / aim\n.* ms +missed\n.* ms$/);
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

test('a rank needs as many requests as make one of it', () => {
  const ranksOf = (requests: number) => Object.keys(latency(new Float64Array(requests)));
  assert.deepEqual(ranksOf(100), ['p50', 'p95', 'p99']);
  assert.deepEqual(ranksOf(99), ['p50', 'p95']);
  assert.deepEqual(ranksOf(20), ['p50', 'p95']);
  assert.deepEqual(ranksOf(19), ['p50']);
});

test('the file of a run is told from others, and from one of changes that were not committed', () => {
  const file = (commit: string) =>
    [JSON.stringify({ machine: { ...machine, commit }, sizes: {} }), toJsonLine(rate([1]))].join('\n');
  assert.equal(isDirty(parseRun(file('abc'))), false);
  assert.equal(isDirty(parseRun(file('abc-dirty'))), true);
  for (const text of ['', 'null', '# Notes', '{"name":"taskkeeper"}', file('abc').split('\n', 1).join()]) {
    assert.throws(() => parseRun(text), /no file of figures/);
  }
});

test('what a run has started is ended, the last first, whatever of it throws', async () => {
  const scope = new RunScope();
  const ended: number[] = [];
  for (const n of [1, 2, 3]) {
    scope.after(async () => {
      ended.push(n);
      if (n > 1) throw new Error(`${n} does not end`);
    });
  }
  await assert.rejects(scope.close(), ({ errors }: AggregateError) => errors.length === 2);
  assert.deepEqual(ended, [3, 2, 1]);
});

test('some works are chosen in the order of a whole run, and works that share stacks stay together', () => {
  assert.deepEqual(readBenchOptions(['--only', 'idle,start,W2,flat'])?.works, [['W2'], ['flat', 'start'], ['idle']]);
  assert.equal(readBenchOptions(['--n', '20000'])?.sizes.tasks, 20_000);
  assert.throws(() => readBenchOptions(['--only', 'W9']), /there is no W9/);
  assert.throws(() => readBenchOptions(['--reps', '0']), /no number from 1 up/);
});

test('what is ended how often, and among how many tasks, is chosen in words that are checked', () => {
  const chosen = readFailoverOptions(['--only', 'worker-killed,leader-killed', '--backlogs', '0,500', '--kills', '2']);
  assert.deepEqual(chosen?.parts, ['leader-killed', 'worker-killed']);
  assert.deepEqual([chosen?.sizes.backlogs, chosen?.sizes.kills, chosen?.sizes.contents], [[0, 500], 2, 'waiting']);
  assert.throws(() => readFailoverOptions(['--only', 'leader']), /there is no leader; there are leader-killed/);
  assert.throws(() => readFailoverOptions(['--backlogs', '0,many']), /many is no number/);
  assert.throws(() => readFailoverOptions(['--contents', 'failed']), /failed is neither waiting nor finished/);
});

test('whoever compares is told of another machine, and of other sizes', () => {
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
