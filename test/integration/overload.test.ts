// Goal: more of everything than the system is made for is refused in the words that there are for it, costs nobody else anything that lasts, and
// leaves nothing behind; nothing that was acknowledged is lost. Method: the scenarios of `npm run overload`, small enough for seconds,
// each on a stack of its own, with the same figures and bounds; those on time and memory tell a system that suffers from one that is slow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Report } from '../../chaos/overload/report.ts';
import { flood } from '../../chaos/overload/scenarios/flood.ts';
import { limit } from '../../chaos/overload/scenarios/limit.ts';
import { streams } from '../../chaos/overload/scenarios/streams.ts';
import { waits } from '../../chaos/overload/scenarios/waits.ts';
import { smallSizes } from '../../chaos/overload/sizes.ts';
import { World } from '../../chaos/overload/world.ts';
import { wholeFile } from '../support/cleanup.ts';
import { roomForMany } from '../support/many-tasks.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeepers = [await startZooKeeper(wholeFile, roomForMany)];

for (const scenario of [limit, waits, streams, flood]) {
  test(scenario.about, { timeout: 240_000 }, async (t) => {
    const report = new Report();
    const options = { scope: t, scenario, sizes: smallSizes, report, zookeepers };
    const world = await World.start({ ...options, say: (text) => t.diagnostic(text) });
    await scenario.run(world);
    await world.judge();
    assert.ok(report.isGood, report.table());
  });
}
