// Goal: a persistent recursive watch tells of every change, once and in order, and survives nothing: the server drops it
// with the connection, so it is set again and what changed meanwhile is found by listing. (The npm client has no such watch.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operation } from '../../coordination/zookeeper-requests.ts';
import { Changes } from '../support/changes.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { aborted, create, next, openSession, reached } from './session-harness.ts';
import { lines, readTree, TreePicture } from './tree-picture.ts';

const zookeeper = await startZooKeeper(wholeFile);
const { session: writer } = await openSession(wholeFile, zookeeper, {
  sessionTimeoutMs: 30_000,
  operationTimeoutMs: 60_000,
});

const set = (path: string, data: string): Operation => ({ kind: 'set', path, data: Buffer.from(data), version: null });
const remove = (path: string): Operation => ({ kind: 'remove', path, version: null });

test('20,000 events for 20,000 changes, in their order', async (t) => {
  const { session } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000 });
  await writer.commit([create('/flood')]);
  const events: string[] = [];
  const changes = new Changes();
  await session.watchRecursively('/flood', (path, change) => {
    events.push(`${change} ${path}`);
    changes.announce();
  });
  const expected: string[] = [];
  const commits: Promise<unknown>[] = [];
  for (let batch = 0; batch < 100; batch += 1) {
    const names = Array.from({ length: 100 }, (_, i) => `/flood/${batch}-${i}`);
    commits.push(writer.commit([...names.map((name) => create(name)), ...names.map((name) => set(name, 'x'))]));
    expected.push(...names.map((name) => `created ${name}`), ...names.map((name) => `changed ${name}`));
  }
  await Promise.all(commits);
  const complete = () => (events.length >= expected.length ? true : null);
  await changes.until(complete, 20_000, (late) => (late ? new Error(`${events.length} events`) : null));
  await session.sync('/flood');
  assert.equal(events.length, 20_000);
  assert.deepEqual(events, expected);
});

for (const content of ['data', 'names'] as const) {
  test(`what changed while the link was cut is in the picture afterwards, ${content}`, async (t) => {
    const proxy = await startFaultProxy(t, zookeeper);
    const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
    const root = `/cut-${content}`;
    const paths = ['', '/kept', '/changed', '/removed', '/replaced', '/parent', '/parent/left'].map((p) => root + p);
    await writer.commit(paths.map((path) => create(path, 'old')));
    const tree = new TreePicture(session, root, 2, content);
    await tree.cache.start();
    assert.deepEqual(lines(tree.picture), lines(await readTree(writer, root, 2, content)));
    proxy.refuse();
    proxy.cut();
    await next(session, 'suspended');
    assert.deepEqual([tree.cache.synced, tree.told.at(-1)], [false, 'not synced']);
    await writer.commit([
      set(`${root}/changed`, 'new'),
      remove(`${root}/removed`),
      remove(`${root}/replaced`),
      create(`${root}/replaced`, 'again'),
      remove(`${root}/parent/left`),
      create(`${root}/parent/come`, 'new'),
      create(`${root}/created`, 'new'),
    ]);
    tree.told.length = 0;
    await proxy.accept();
    await tree.until(() => tree.cache.synced);
    assert.deepEqual(lines(tree.picture), lines(await readTree(writer, root, 2, content)));
    const absent = tree.told.filter((line) => line.startsWith('absent')).sort();
    assert.deepEqual(absent, [`absent ${root}/parent/left`, `absent ${root}/removed`]);
    assert.equal(tree.told.at(-1), 'synced');
  });
}

test('a root that is not there is an empty picture, and is followed once somebody makes it', async (t) => {
  const { session } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000 });
  const tree = new TreePicture(session, '/late', 2, 'data');
  await tree.cache.start();
  assert.equal(tree.picture.size, 0);
  await writer.commit([create('/late', 'r'), create('/late/a', 'a'), create('/late/a/b', 'b'), create('/late/a/b/c')]);
  await tree.until(() => tree.picture.get('/late/a/b') === 'b');
  assert.deepEqual(lines(tree.picture), ['/late r', '/late/a a', '/late/a/b b'], 'no deeper than it was told');
});

test('start fails when the session ends before, or has ended', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 500 });
  proxy.silence();
  proxy.refuse();
  const started = new TreePicture(session, '/flood', 2, 'data').cache.start();
  await assert.rejects(started, { name: 'SessionLost' });
  await aborted(session.signal);
  await assert.rejects(new TreePicture(session, '/flood', 2, 'data').cache.start(), { name: 'SessionLost' });
  await reached(session, 'lost');
});
