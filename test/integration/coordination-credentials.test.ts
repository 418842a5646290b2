// Goal: with digest credentials all that we create is ours alone, after a reconnect too; whoever comes without them, or
// with wrong ones, is refused in clear words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { campaign } from '../../coordination/election.ts';
import { parentPaths } from '../../coordination/znode-paths.ts';
import { create, next, openSession, reached } from '../fault/session-harness.ts';
import { lines, TreePicture } from '../fault/tree-picture.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { runZkCli } from '../support/zkcli.ts';
import type { Frame } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const ours = { sessionTimeoutMs: 10_000, chroot: '/ours', digest: 'taskkeeper:secret' };
const authOpcode = 100;

const { session: owner } = await openSession(wholeFile, zookeeper, ours);
await ensureParents(owner);

test('everything is created for its creator alone, also right after a reconnect', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, ours);
  await session.commit([create('/tasks/task-', 'x', 'sequential'), create('/workers/w', 'x', 'ephemeral')]);
  const requests: Frame[] = [];
  proxy.onFrame((frame) => frame.opcode !== null && requests.push(frame));
  proxy.refuse();
  proxy.cut();
  await reached(session, 'suspended');
  const watched = session.watch('/tasks', () => undefined).stat;
  const waiting = session.commit([create('/tasks/after-reconnect', 'x')]);
  await proxy.accept();
  await Promise.all([watched, waiting]);
  assert.equal(requests[0]?.opcode, authOpcode, 'the credentials go first');

  const paths = [...parentPaths, '/tasks/task-0000000000', '/workers/w', '/tasks/after-reconnect'];
  const all = ['/ours', ...paths.map((path) => `/ours${path}`)];
  const commands = all.map((path) => `getAcl ${path}`);
  const output = await runZkCli(t, zookeeper.connect, ['addauth digest taskkeeper:secret', ...commands]);
  const entries = output.match(/^'\w+,'.*$/gm) ?? [];
  assert.equal(entries.length, all.length, output);
  assert.ok(
    entries.every((entry) => entry.startsWith("'digest,'taskkeeper:")),
    output,
  );
  assert.equal(output.match(/^: cdrwa$/gm)?.length, all.length);
});

for (const [who, digest] of [
  ['without credentials', null],
  ['with a wrong password', 'taskkeeper:wrong'],
] as const) {
  test(`a client ${who} is refused in clear words`, async (t) => {
    const { session } = await openSession(t, zookeeper, { ...ours, digest });
    const refused = { code: 'no_auth', outcome: 'not applied' };
    await assert.rejects(session.getData('/tasks'), refused);
    await assert.rejects(session.commit([create('/tasks/task-', 'x', 'sequential')]), {
      ...refused,
      operationIndex: 0,
      message: /refused create \/tasks\/task- .*no_auth/,
    });
    const candidate = { masterId: 'stranger', address: '127.0.0.1:1' };
    await assert.rejects(campaign(session, candidate, new AbortController().signal), refused);
    await assert.rejects(new TreePicture(session, '/tasks', 2, 'data').cache.start(), refused);
    await assert.rejects(new TreePicture(session, '/tasks', 2, 'names').cache.start(), refused);
  });
}

test('a server that does not take such credentials ends the session, and the log says why', async (t) => {
  const strange = await startZooKeeper(t, { jvmFlags: ['-Dzookeeper.DigestAuthenticationProvider.enabled=false'] });
  const { session, logs } = await openSession(t, strange, { ...ours, connected: false });
  await reached(session, 'lost');
  assert.ok(logs.some(({ msg, why }) => /is lost/.test(msg) && why === 'auth_failed'));
});

test('a znode that shuts us out is stepped around: it has no data, and nothing waits for it', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  await session.commit([create('/open', 'o'), create('/open/readable', 'r'), create('/open/closed', 'c')]);
  await session.commit([create('/open/closed/below')]);
  await runZkCli(t, zookeeper.connect, ['setAcl /open/closed world:anyone:cda']);
  const tree = new TreePicture(session, '/open', 2, 'data');
  await tree.cache.start();
  const expected = ['/open o', '/open/closed null', '/open/readable r'];
  assert.deepEqual(lines(tree.picture), expected);
  await session.commit([{ kind: 'set', path: '/open/readable', data: Buffer.from('new'), version: null }]);
  await tree.until(() => tree.picture.get('/open/readable') === 'new');
  proxy.cut();
  await next(session, 'connected');
  await tree.until(() => tree.cache.synced);
  assert.equal(proxy.connectionsSeen, 2);
});
