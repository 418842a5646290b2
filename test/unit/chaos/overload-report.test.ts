// Goal: a bound that is broken, a value that was not measured and a fault are seen, and everything else is not; what is asked for on the command line
// is what is done, or it is said what is wrong with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOverloadOptions, UsageError } from '../../../chaos/overload/options.ts';
import { type Bound, isKept, Report } from '../../../chaos/overload/report.ts';

test('bounds are kept up to their values and no further', () => {
  const cases: [number, Bound | null, boolean][] = [
    [5, { atMost: 5 }, true],
    [5.1, { atMost: 5 }, false],
    [5, { atLeast: 5 }, true],
    [4.9, { atLeast: 5 }, false],
    [0, { exactly: 0 }, true],
    [-1, { exactly: 0 }, false],
    [Number.NaN, { atMost: 5 }, false],
    [Number.NaN, { exactly: 0 }, false],
    [Number.NaN, null, true],
  ];
  for (const [value, bound, kept] of cases) assert.equal(isKept({ value, bound }), kept, `${value}`);
});

test('a report is good where every bound is kept and nothing was seen that must not be', () => {
  const report = new Report();
  report.add('a', 'memory', 12.345, 'MB', { atMost: 20 });
  report.add('a', 'refused', 1234.5, '1/s');
  assert.equal(report.isGood, true);
  assert.match(report.table(), /\| a +\| memory +\| 12\.3 MB +\| at most 20 +\| kept +\|/);
  report.add('b', 'lost', 1, 'tasks', { exactly: 0 });
  assert.equal(report.isGood, false);
  assert.deepEqual(
    report.broken.map(({ figure }) => figure),
    ['lost'],
  );
  assert.match(report.table(), /\| b +\| lost +\| 1 tasks +\| exactly 0 +\| BROKEN +\|/);
  const other = new Report();
  other.fault('a', 'it was not as it should be');
  assert.equal(other.isGood, false);
  assert.match(other.table(), /a: it was not as it should be$/);
});

test('options', () => {
  const names = ['limit', 'waits'];
  assert.deepEqual(readOverloadOptions([], names), { only: [], servers: 1, among: 0, seconds: null, small: false });
  const args = ['--only', 'waits,limit', '--among', '1000', '--seconds', '5', '--servers', '3', '--small'];
  assert.deepEqual(readOverloadOptions(args, names), {
    ...{ only: ['waits', 'limit'], servers: 3, among: 1000, seconds: 5, small: true },
  });
  assert.equal(readOverloadOptions(['--among', '0'], names)?.among, 0);
  assert.equal(readOverloadOptions(['--help'], names), null);
  for (const wrong of [
    ['--only', 'all'],
    ['--servers', '2'],
    ['--among', '-1'],
    ['--seconds', 'x'],
    ['--seconds', '0'],
    ['--big'],
    ['limit'],
  ]) {
    assert.throws(() => readOverloadOptions(wrong, names), UsageError);
  }
});
