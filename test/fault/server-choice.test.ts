// Goal: the servers of the list share the sessions, and those of a server that goes share the others. (Clients that all
// begin with the first server of the list make it carry all of them.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { next, openSession } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);

test('many sessions spread over the servers, also when one goes', async (t) => {
  const servers = [
    await startFaultProxy(t, zookeeper),
    await startFaultProxy(t, zookeeper),
    await startFaultProxy(t, zookeeper),
  ];
  const many = Array.from({ length: 90 }, () => openSession(t, servers, { sessionTimeoutMs: 10_000 }));
  const sessions = (await Promise.all(many)).map(({ session }) => session);
  const counts = () => servers.map(({ connections }) => connections);
  // Of 90, each third has fewer than 8 in less than one run of a million.
  assert.ok(
    counts().every((count) => count >= 8),
    `${counts()}`,
  );
  const before = counts();
  const [first] = servers;
  const moved: Promise<void>[] = [];
  for (const session of sessions) {
    session.onState((state) => state === 'suspended' && moved.push(next(session, 'connected')));
  }
  const all = new Promise<void>((resolve) => {
    for (const session of sessions) session.onState(() => moved.length === before[0] && resolve());
  });
  first?.refuse();
  first?.cut();
  await all;
  await Promise.all(moved);
  const [gone, ...others] = counts();
  assert.equal(gone, 0);
  for (const [i, count] of others.entries()) assert.ok(count > (before[i + 1] ?? 0), `${before} became ${counts()}`);
});
