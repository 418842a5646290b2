// Goal: a session that only receives lives on, because we ping by what was last sent. (The npm client pings only when
// the socket is idle both ways, so a client that is told of changes loses its session after the timeout.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { create, openSession } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);

test('a client that only receives watch events outlives its session timeout', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 600 });
  const { session: writer } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000 });
  await writer.commit([create('/news')]);
  let events = 0;
  await session.watchRecursively('/news', () => {
    events += 1;
  });
  const { id } = session;
  const requestsBefore = proxy.counters.toServer.frames;
  const startedAt = performance.now();
  // Six pings are two timeouts; the deadline is for a client that sends none.
  while (proxy.counters.toServer.pings < 6 && performance.now() - startedAt < 5000) {
    await writer.commit([{ kind: 'set', path: '/news', data: Buffer.from('x'), version: null }]);
  }
  const lastedMs = performance.now() - startedAt;
  assert.equal(proxy.counters.toServer.pings, proxy.counters.toServer.frames - requestsBefore, 'it sent pings alone');
  assert.ok(lastedMs > 2 * 600 - 100 && lastedMs < 3 * 600, `six pings in ${lastedMs} ms`);
  assert.ok(events > 20);
  assert.equal((await session.exists('/news')) !== null && session.id, id);
  assert.equal(proxy.connectionsSeen, 1);
});

test('an idle client pings three times a timeout, a busy one not at all', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 600 });
  const startedAt = performance.now();
  while (performance.now() - startedAt < 900) await session.exists('/zookeeper');
  assert.equal(proxy.counters.toServer.pings, 0);
  await proxy.nextFrame((frame) => frame.direction === 'toServer' && proxy.counters.toServer.pings === 3);
  assert.equal(proxy.connectionsSeen, 1);
});
