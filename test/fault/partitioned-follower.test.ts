// Goal: a session whose server has lost its leader is given up before the leader gives what it holds to another. A
// follower answers pings and reads by itself for `syncLimit` ticks after its link to the leader broke, while the leader,
// which hears nothing of the session any more, expires it after the session timeout. So those answers prove nothing, and
// only the leader's count. Method: three servers, one follower's link to the leader goes silent.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { findFreePort } from '../../scripts/ports.ts';
import { onCleanup, type TestScope } from '../support/cleanup.ts';
import { createZooKeeper } from '../support/zookeeper-server.ts';
import { aborted, create, gone, openSession } from './session-harness.ts';

test('the session of a follower without a leader is given up before its ephemerals go', async (t) => {
  const { follower, leader, link } = await startEnsembleWithLink(t);
  const { session } = await openSession(t, follower, { sessionTimeoutMs: 1000 });
  const { session: observer } = await openSession(t, leader, { sessionTimeoutMs: 30_000 });
  await session.commit([create('/held', '', 'ephemeral')]);
  const goneAt = gone(observer, '/held');
  const abortedAt = aborted(session.signal, 20_000);
  link.silent = true;
  // The follower goes on answering these for a while.
  const reading = (async () => {
    while (!session.signal.aborted) await session.exists('/held').catch(() => undefined);
  })();
  assert.ok((await abortedAt) < (await goneAt), `${Math.round((await abortedAt) - (await goneAt))} ms too late`);
  await reading;
});

/** The first server is a follower, the last the leader; the link is between these two. */
async function startEnsembleWithLink(scope: TestScope) {
  const ports = new Set<number>();
  while (ports.size < 9) ports.add(await findFreePort());
  const all = [...ports];
  const member = (i: number) => ({ client: all[i] ?? 0, quorum: all[i + 3] ?? 0, election: all[i + 6] ?? 0 });
  const link = await startLink(scope, member(2).quorum);
  const servers = [0, 1, 2].map((own) => {
    const lines = [0, 1, 2].map((i) => {
      const quorum = own === 0 && i === 2 ? link.port : member(i).quorum;
      return [`server.${i + 1}`, `127.0.0.1:${quorum}:${member(i).election}`];
    });
    const server = createZooKeeper(scope, member(own).client, { extraConfig: Object.fromEntries(lines) });
    mkdirSync(server.dataDir, { recursive: true });
    writeFileSync(join(server.dataDir, 'myid'), String(own + 1));
    return server;
  });
  const [follower, second, leader] = servers;
  assert.ok(follower && second && leader);
  // The two that make a quorum choose the one with the higher id; who comes later follows.
  await Promise.all([second.spawn(), leader.spawn()]);
  await Promise.all([second.waitUntilServing(), leader.waitUntilServing()]);
  await follower.spawn();
  await follower.waitUntilServing();
  assert.match(await leader.fourLetterWord('srvr'), /Mode: leader/);
  return { follower, leader, link };
}

/** A proxy for any bytes; silent, it takes them and passes nothing on. */
async function startLink(scope: TestScope, target: number) {
  const link = { port: 0, silent: false };
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.push(from);
      from.on('data', (bytes) => !link.silent && to.write(bytes));
      from.on('error', () => undefined); // 'close' follows
      from.on('close', () => !link.silent && to.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  link.port = (server.address() as { port: number }).port;
  onCleanup(scope, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return link;
}
