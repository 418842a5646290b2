// Goal: what a task asks of ZooKeeper, from its submit over its end and the answer to whoever waits for it to its removal, stays as
// little as it is; docs/performance.md says how little it could be. Method: counted on the wire for each role, so that the
// numbers are those of any machine: exact for one task at a time, bounds for many, since how many of them share a transaction
// depends on the machine. Whoever makes it cheaper lowers the numbers here.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable } from '../../bench/figures.ts';
import { wholeFile } from '../support/cleanup.ts';
import { type CostRole, type CountedCosts, costRoles, costRows, countCosts } from '../support/counted-costs.ts';
import type { Costs } from '../support/request-costs.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

type Numbers = Readonly<Record<CostRole, Partial<Costs>>>;

const none = { transactions: 0, operations: 0, multiReads: 0, multiReadZnodes: 0, others: 0 };

/** Exactly so many; of bytes no more than that. */
const oneAtATime: Numbers = {
  gateway: { ...none, transactions: 1, operations: 1, reads: 5, events: 3, bytesOut: 710, bytesIn: 1450 },
  leader: { ...none, transactions: 1, operations: 5, reads: 3, events: 4, bytesOut: 540, bytesIn: 1250 },
  standby: { ...none, reads: 3, events: 4, bytesOut: 190, bytesIn: 1130 },
  worker: { ...none, transactions: 1, operations: 3, reads: 2, events: 2, bytesOut: 500, bytesIn: 825 },
};

/** No more than that. */
const many = { transactions: 0, operations: 0, reads: 1, multiReads: 0.5, others: 0 };
const manyInFlight: Numbers = {
  gateway: {
    ...many,
    transactions: 0.5,
    operations: 1,
    reads: 2,
    multiReadZnodes: 5.5,
    events: 3,
    bytesOut: 720,
    bytesIn: 1480,
  },
  leader: { ...many, transactions: 0.4, operations: 3.8, multiReadZnodes: 3.5, events: 4, bytesOut: 530, bytesIn: 1320 },
  standby: { ...many, multiReadZnodes: 3.5, events: 4, bytesOut: 220, bytesIn: 1200 },
  worker: { ...many, transactions: 0.4, operations: 3, multiReadZnodes: 2, events: 2, bytesOut: 500, bytesIn: 825 },
};

/** Once for all: what a takeover costs is among it. */
const retention: Numbers = {
  // Whoever looked at a task that had ended has left a watch on its status.
  gateway: { ...none, reads: 0.02, events: 1, bytesOut: 2, bytesIn: 100 },
  leader: {
    ...none,
    transactions: 0.02,
    operations: 2.05,
    reads: 0.02,
    others: 0.02,
    events: 2.02,
    bytesOut: 125,
    bytesIn: 175,
  },
  standby: {
    ...none,
    transactions: 0.01,
    operations: 0.02,
    reads: 0.02,
    others: 0.02,
    events: 2.02,
    bytesOut: 2,
    bytesIn: 160,
  },
  worker: { ...none, reads: 0.02, events: 0.02, bytesOut: 2, bytesIn: 2 },
};

test('what a task costs in requests, events and bytes', { timeout: 180_000 }, async (t) => {
  const [single, together, removal] = await countCosts(t, zookeeper);
  assert.ok(single && together && removal);
  const tables = [single, together, removal].flatMap((counted) => formatTable(costRows(counted)).split('\n'));
  for (const line of tables) t.diagnostic(line);
  holds(single, oneAtATime, (name) => (name.startsWith('bytes') ? 'at most' : 'exactly'));
  holds(together, manyInFlight, () => 'at most');
  holds(removal, retention, () => 'at most');
});

function holds(counted: CountedCosts, wanted: Numbers, how: (name: string) => 'exactly' | 'at most'): void {
  const faults = costRoles.flatMap((role) =>
    Object.entries(wanted[role]).flatMap(([name, bound]) => {
      const value = counted.perTask[role][name as keyof Costs];
      const isKept = how(name) === 'exactly' ? value === bound : value <= bound;
      return isKept ? [] : [`${role}: ${value} ${name}, wanted ${how(name)} ${bound}`];
    }),
  );
  assert.ok(faults.length === 0, `${counted.phase}: ${faults.join('; ')}\n\n${formatTable(costRows(counted))}`);
}
