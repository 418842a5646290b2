// Goal: whichever process starts first makes what the tree needs, the chroot of the connect string included, and makes it
// again when a person has removed it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { parentPaths } from '../../coordination/znode-paths.ts';
import { create, openSession } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { runZkCli } from '../support/zkcli.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const { session: whole } = await openSession(wholeFile, zookeeper, { sessionTimeoutMs: 30_000 });
const longSession = { sessionTimeoutMs: 10_000 };

test('a chroot that does not exist is made, by any number of processes at once', async (t) => {
  const chroot = '/somewhere/deep';
  const opened = await Promise.all(
    Array.from({ length: 5 }, () => openSession(t, zookeeper, { ...longSession, chroot })),
  );
  await Promise.all(opened.map(({ session }) => ensureParents(session)));
  for (const path of parentPaths) assert.ok(await whole.exists(chroot + path), path);
  assert.equal(await whole.exists('/tasks'), null);
});

test('paths are below the chroot: results, lists, watches, the root itself', async (t) => {
  const { session } = await openSession(t, zookeeper, { ...longSession, chroot: '/somewhere/else' });
  await ensureParents(session);
  const events: string[] = [];
  await session.watchRecursively('/', (path, change) => events.push(`${change} ${path}`));
  let fired = 0;
  const { stat } = session.watch('/tasks/task-0000000000', () => {
    fired += 1;
  });
  assert.equal(await stat, null);
  const [made] = await session.commit([create('/tasks/task-', 'x', 'sequential')]);
  assert.equal(made?.path, '/tasks/task-0000000000');
  assert.deepEqual((await session.getChildren('/tasks'))?.children, ['task-0000000000']);
  assert.equal((await session.getChildren('/'))?.children.length, parentPaths.length);
  await session.sync('/');
  assert.deepEqual(events, ['created /tasks/task-0000000000']);
  assert.equal(fired, 1);
  assert.ok(await whole.exists('/somewhere/else/tasks/task-0000000000'));
});

test('parents that a person removed are made again, and the others are left alone', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, longSession);
  await ensureParents(session);
  await session.commit([create('/tasks/task-', '', 'sequential')]);
  const tasks = await session.exists('/tasks');
  await runZkCli(t, zookeeper.connect, ['delete /workers', 'deleteall /queues']);
  let writes = 0;
  proxy.onFrame(({ opcode }) => {
    if (opcode === opcodes.multi) writes += 1;
  });
  await ensureParents(session);
  for (const path of parentPaths) assert.ok(await session.exists(path), path);
  assert.deepEqual(await session.exists('/tasks'), tasks);
  assert.equal(writes, 2);
});

test('a chroot that is there needs no permission above it', async (t) => {
  await whole.commit([create('/fenced-in'), create('/fenced-in/ours')]);
  await runZkCli(t, zookeeper.connect, ['setAcl /fenced-in world:anyone:r']);
  const { session } = await openSession(t, zookeeper, { ...longSession, chroot: '/fenced-in/ours' });
  await ensureParents(session);
  assert.ok(await whole.exists('/fenced-in/ours/tasks'));
});
