// Goal: a session that only receives lives on, because its heartbeat goes by what was last sent. (The npm client pings
// only when the socket is idle both ways, so a client that is told of changes loses its session after the timeout.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opcodes } from '../../coordination/zookeeper-requests.ts';
import { wholeFile } from '../support/cleanup.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { create, openSession, within } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const timeoutMs = 600;

/** Counts what the client sends from now on. */
function countRequests(proxy: FaultProxy) {
  const sent = { heartbeats: 0, others: 0 };
  proxy.onFrame(({ direction, opcode }) => {
    if (direction !== 'toServer') return;
    if (opcode === opcodes.sync) sent.heartbeats += 1;
    else sent.others += 1;
  });
  return sent;
}

test('a client that only receives watch events outlives its session timeout', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: timeoutMs });
  const { session: writer } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000 });
  await writer.commit([create('/news')]);
  let events = 0;
  await session.watchRecursively('/news', () => {
    events += 1;
  });
  const { id } = session;
  const sent = countRequests(proxy);
  const startedAt = performance.now();
  // Twelve heartbeats are two timeouts; the deadline is for a client that sends none.
  while (sent.heartbeats < 12 && performance.now() - startedAt < 5000) {
    await writer.commit([{ kind: 'set', path: '/news', data: Buffer.from('x'), version: null }]);
  }
  const lastedMs = performance.now() - startedAt;
  assert.equal(sent.others, 0, 'it sent heartbeats alone');
  assert.ok(lastedMs > 2 * timeoutMs - 150 && lastedMs < 3 * timeoutMs, `twelve heartbeats in ${lastedMs} ms`);
  assert.ok(events > 20);
  assert.equal((await session.exists('/news')) !== null && session.id, id);
  assert.equal(proxy.connectionsSeen, 1);
});

test('one that writes needs no heartbeat, one that only reads does: any server answers reads by itself', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: timeoutMs });
  await session.commit([create('/written')]);
  const writing = countRequests(proxy);
  const write = { kind: 'set', path: '/written', data: Buffer.alloc(1), version: null } as const;
  for (const startedAt = performance.now(); performance.now() - startedAt < 1.5 * timeoutMs; ) {
    await session.commit([write]);
  }
  // One that only reads would send seven; a busy machine may hold a write up for a moment.
  assert.ok(writing.heartbeats <= 3, `${writing.heartbeats} heartbeats beside the writes`);
  const reading = countRequests(proxy);
  const readOn = async () => {
    while (reading.heartbeats < 6) await session.exists('/written');
  };
  await within(readOn(), 'six heartbeats', 5000);
  assert.equal(proxy.connectionsSeen, 1);
});
