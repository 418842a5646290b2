// Goal: a client that has sent 2^31 requests goes on. (The npm client counts on and then fails to write the number.)
// Method: no test can send that many, so the client that the adapter creates is handed over with its counter near the end,
// which is the one place that the test reaches into: the npm client's own field, on the object that the adapter gets.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import zookeeperClient from 'node-zookeeper-client';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { create, openSession } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);

function startCountingAt(t: TestContext, xid: number): void {
  const { createClient } = zookeeperClient;
  t.mock.method(zookeeperClient, 'createClient', (...args: Parameters<typeof createClient>) => {
    const client = createClient(...args);
    (client as unknown as { connectionManager: { xid: number } }).connectionManager.xid = xid;
    return client;
  });
}

test('the request after number 2147483647 has number 1, and all are answered', async (t) => {
  startCountingAt(t, 2 ** 31 - 3);
  const proxy = await startFaultProxy(t, zookeeper);
  const xids: (number | null)[] = [];
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  proxy.onFrame((frame) => frame.direction === 'toServer' && frame.opcode !== 11 && xids.push(frame.xid));
  await session.commit([create('/numbered', '0')]);
  const reads = Array.from({ length: 5 }, () => session.exists('/numbered'));
  assert.ok((await Promise.all(reads)).every((stat) => stat !== null));
  assert.deepEqual(xids, [2 ** 31 - 3, 2 ** 31 - 2, 2 ** 31 - 1, 1, 2, 3]);
  assert.equal(proxy.connectionsSeen, 1);
});
