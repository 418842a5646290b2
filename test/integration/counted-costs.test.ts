// Goal: what a task asks of ZooKeeper, from its submit over its end and the answer to whoever waits for it to its removal, stays as
// little as it is; docs/performance.md says how little it could be. Method: counted on the wire for each role, so that the
// numbers are those of any machine: exact for one task at a time, bounds for many, since how many of them share a transaction
// depends on the machine. Whoever makes it cheaper lowers the numbers here.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable } from '../../bench/figures.ts';
import { wholeFile } from '../support/cleanup.ts';
import { type CountedCosts, costRoles, costRows, countCosts } from '../support/counted-costs.ts';
import type { Costs } from '../support/request-costs.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

/** Exactly so many, but for {@link atMost}. */
const oneAtATime = bounds(`
            transactions  operations  reads  multiReads  multiReadZnodes  others  events  bytesOut  bytesIn
  gateway              1           1      1           2                6       0       1       860     1340
  leader               1           5      2           0                0       0       4       480     1110
  standby              0           0      3           0                0       0       4       190     1130
  worker               1           3      0           1                2       0       2       525      845
`);

/** They are no aim of their own. */
const atMost: ReadonlySet<string> = new Set(['bytesOut', 'bytesIn']);

/** No more than that. */
const manyInFlight = bounds(`
            transactions  operations  reads  multiReads  multiReadZnodes  others  events  bytesOut  bytesIn
  gateway            0.5           1      1         0.5                6       0       1       860     1400
  leader             0.4         3.3      1         0.5              2.5       0       4       450     1150
  standby              0           0      1         0.5              3.5       0       4       220     1200
  worker             0.4           3      1         0.5                2       0       2       500      825
`);

/** Nor here: a gateway that is asked for nothing is told of nothing; one that is to know what runs, of every assignment. */
const submittedOnly = {
  ...manyInFlight,
  ...bounds(`
            transactions  operations  reads  multiReads  multiReadZnodes  others  events  bytesOut  bytesIn
  gateway            0.5           1      0           0                0       0       0       500      150
`),
};
/** And there is one task more, which is cancelled. */
const lookedAt = bounds(`
            transactions  operations  reads  multiReads  multiReadZnodes  others  events  bytesOut  bytesIn
  gateway            0.5        1.01      1        0.05             0.05    0.01    2.02       500      300
  leader             0.4        3.32      1         0.5             2.52       0    4.02       450     1160
  standby              0           0      1         0.5             3.52       0    4.02       220     1210
  worker             0.4        3.01      1         0.5             2.01       0    2.01       500      830
`);

/** Nor here, where a takeover is among it; and whoever looked at a task that had ended has left a watch on its status. */
const retention = bounds(`
            transactions  operations  reads  multiReads  multiReadZnodes  others  events  bytesOut  bytesIn
  gateway              0           0   0.02        0.02             0.02       0       1         2      100
  leader            0.02        2.05   0.02        0.02             0.02    0.02    2.02       125      175
  standby           0.01        0.02   0.02        0.02             0.02    0.02    2.02         2      160
  worker               0           0   0.02           0                0       0    0.02         2        2
`);

test('what a task costs in requests, events and bytes', { timeout: 180_000 }, async (t) => {
  const counted = await countCosts(t, zookeeper);
  const [single, together, submitted, looked, removal] = counted;
  assert.ok(single && together && submitted && looked && removal);
  const tables = counted.flatMap((counted) => formatTable(costRows(counted)).split('\n'));
  for (const line of tables) t.diagnostic(line);
  holds(single, oneAtATime, (name) => (atMost.has(name) ? 'at most' : 'exactly'));
  holds(together, manyInFlight, () => 'at most');
  holds(submitted, submittedOnly, () => 'at most');
  holds(looked, lookedAt, () => 'at most');
  holds(removal, retention, () => 'at most');
});

function holds(
  counted: CountedCosts,
  wanted: CountedCosts['perTask'],
  how: (name: string) => 'exactly' | 'at most',
): void {
  const faults = costRoles.flatMap((role) =>
    Object.entries(wanted[role]).flatMap(([name, bound]) => {
      const value = counted.perTask[role][name as keyof Costs];
      const isKept = how(name) === 'exactly' ? value === bound : value <= bound;
      return isKept ? [] : [`${role}: ${value} ${name}, wanted ${how(name)} ${bound}`];
    }),
  );
  assert.ok(faults.length === 0, `${counted.phase}: ${faults.join('; ')}\n\n${formatTable(costRows(counted))}`);
}

/** As the tables are printed: names first, then a row a role. */
function bounds(table: string): CountedCosts['perTask'] {
  const [names = [], ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ +/));
  const costsOf = (values: readonly string[]) =>
    Object.fromEntries(values.map((value, i) => [names[i], Number(value)]));
  return Object.fromEntries(
    rows.map(([role, ...values]) => [role, costsOf(values)]),
  ) as unknown as CountedCosts['perTask'];
}
