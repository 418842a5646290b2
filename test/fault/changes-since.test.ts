// Goal: of many znodes a session learns which have changed since a transaction, and nothing stays of the question: no watch, no session. A
// mirror of many takes up what changed while its link was cut without reading the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opcodes } from '../../coordination/zookeeper-requests.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { create, next, openSession } from './session-harness.ts';
import { TreePicture } from './tree-picture.ts';

const zookeeper = await startZooKeeper(wholeFile);
const { session: writer } = await openSession(wholeFile, zookeeper, { sessionTimeoutMs: 30_000 });

const set = (path: string) => ({ kind: 'set', path, data: Buffer.from('new'), version: null }) as const;
const remove = (path: string) => ({ kind: 'remove', path, version: null }) as const;

async function sessionsOpen(): Promise<number> {
  return (await zookeeper.fourLetterWord('cons')).split('\n').filter((line) => line.includes('sid=0x')).length;
}

for (const chroot of ['', '/somewhere/deep']) {
  test(`data, children and removals since then, and nothing else; chroot "${chroot}"`, async (t) => {
    const { session } = await openSession(t, zookeeper, { chroot, sessionTimeoutMs: 10_000 });
    await session.ensureChroot();
    const paths = ['/asked', '/asked/same', '/asked/set', '/asked/parent', '/asked/removed', '/asked/again'];
    await session.commit(paths.map((path) => create(path)));
    const before = await sessionsOpen();
    const { zxid } = session;
    assert.deepEqual(await session.changesSince(zxid, { paths, hasChildren: () => true }), new Set());
    await session.commit([
      ...[set('/asked/set'), create('/asked/parent/child'), remove('/asked/removed')],
      ...[remove('/asked/again'), create('/asked/again')],
    ]);
    const changed = await session.changesSince(zxid, { paths, hasChildren: (path) => path !== '/asked' });
    assert.deepEqual([...changed].sort(), ['/asked/again', '/asked/parent', '/asked/removed', '/asked/set']);
    const since = await session.changesSince(session.zxid, { paths, hasChildren: () => true });
    assert.deepEqual([...since], ['/asked/removed'], 'what is not there');
    await eventually('its sessions have ended', async () => (await sessionsOpen()) === before);
    assert.match(await zookeeper.fourLetterWord('wchs'), /^0 connections watching 0 paths/);
  });
}

test('the server has caught up before it is asked', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  const sent: (number | null)[] = [];
  proxy.onFrame(({ direction, connection, handshake, opcode }) => {
    if (direction === 'toServer' && connection === 2 && !handshake) sent.push(opcode);
  });
  await session.changesSince(0n, { paths: ['/'], hasChildren: () => true });
  assert.deepEqual(sent.slice(0, 2), [opcodes.sync, opcodes.setWatches]);
});

test('no answer, or a link that breaks, and nothing is said', async (t) => {
  const unanswered: ((proxy: FaultProxy) => void)[] = [(proxy) => proxy.silence('toClient'), (proxy) => proxy.cut()];
  for (const leaveUnanswered of unanswered) {
    const proxy = await startFaultProxy(t, zookeeper);
    const { session } = await openSession(t, proxy, { sessionTimeoutMs: 1500 });
    void proxy.nextFrame(({ opcode }) => opcode === opcodes.setWatches).then(() => leaveUnanswered(proxy));
    const asked = session.changesSince(0n, { paths: ['/'], hasChildren: () => true });
    await assert.rejects(asked, { code: 'connection_lost', outcome: 'not applied' });
  }
});

test('a mirror of many is complete again with what changed while its link was cut', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  const many = Array.from({ length: 3000 }, (_, n) => `/many/${n}`);
  await writer.commit([create('/many')]);
  await writer.commit(many.slice(0, 1500).map((path) => create(path, 'old')));
  await writer.commit(many.slice(1500).map((path) => create(path, 'old')));
  const tree = new TreePicture(session, '/many', 2, 'data');
  await tree.cache.start();
  proxy.refuse();
  proxy.cut();
  await next(session, 'suspended');
  await writer.commit([set('/many/1'), create('/many/2/a'), remove('/many/3'), create('/many/new')]);
  tree.told.length = 0;
  await proxy.accept();
  await tree.until(() => tree.cache.synced);
  assert.deepEqual(tree.told.slice(0, tree.told.indexOf('synced')).sort(), [
    'absent /many/3',
    ...['present /many', 'present /many/1', 'present /many/2', 'present /many/2/a', 'present /many/new'],
  ]);
  assert.equal(tree.picture.size, 1 + many.length + 1);
  assert.deepEqual([tree.picture.get('/many/0'), tree.picture.get('/many/1')], ['old', 'new']);
});

test('one of two servers hangs: the one that answers is asked', async (t) => {
  const hung = await startFaultProxy(t, zookeeper);
  hung.silence();
  const { session } = await openSession(t, [hung, zookeeper], { sessionTimeoutMs: 1500 });
  for (const _ of [1, 2, 3, 4, 5, 6]) await session.changesSince(0n, { paths: ['/'], hasChildren: () => true });
});

test('no server is asked that knows less than was seen', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  await session.commit([create('/newest')]);
  const seen = proxy.nextFrame(({ handshake, direction }) => handshake && direction === 'toServer');
  await session.changesSince(0n, { paths: ['/'], hasChildren: () => true });
  assert.ok((await seen).body.readBigInt64BE(4) > 0n, 'the last transaction that was seen is told');
});
