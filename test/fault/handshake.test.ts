// Goal: a server that accepts and never answers the handshake costs a deadline, not the session. (The npm client waits for
// it for ever.) And whoever answers in another language than ZooKeeper's is left again.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { onCleanup, wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { next, openSession, reached, within } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);

test('a server that never answers the handshake is left for the next one', async (t) => {
  const silent = await startFaultProxy(t, zookeeper);
  silent.silence();
  for (let i = 0; i < 8 || silent.connectionsSeen === 0; i += 1) {
    const { session } = await openSession(t, [silent, zookeeper], { sessionTimeoutMs: 600 });
    assert.equal(session.state, 'connected');
  }
  assert.ok(silent.connectionsSeen > 0);
});

test('and tried again where there is no other', async (t) => {
  const silent = await startFaultProxy(t, zookeeper);
  silent.silence();
  const { session } = await openSession(t, silent, { sessionTimeoutMs: 600, connected: false });
  await within(
    silent.nextFrame((frame) => frame.connection === 3),
    'a third attempt',
  );
  await silent.heal();
  await reached(session, 'connected');
});

test('a session outlives a reconnect whose first handshake is not answered', async (t) => {
  const first = await startFaultProxy(t, zookeeper);
  const second = await startFaultProxy(t, zookeeper);
  const third = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, [first, second, third], { sessionTimeoutMs: 1500 });
  const { id } = session;
  const [used, ...others] = [first, second, third].sort((a, b) => b.connections - a.connections);
  others[0]?.silence();
  used?.refuse();
  used?.cut();
  await next(session, 'suspended');
  await next(session, 'connected');
  assert.equal(session.id, id);
});

test('an endpoint that is no ZooKeeper is left', async (t) => {
  const stranger = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  await once(stranger.listen(0, '127.0.0.1'), 'listening');
  onCleanup(t, () => {
    stranger.close();
  });
  const { port } = stranger.address() as { port: number };
  for (let i = 0; i < 8; i += 1) await openSession(t, [{ port }, zookeeper], { sessionTimeoutMs: 600 });
});
