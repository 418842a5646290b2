// Goal: watches outlive the link, however many there are. (The server drops them with the connection; the npm client sets
// all of them again in one packet, and over 1 MiB the server closes the connection, for ever.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupCommit } from '../../coordination/group-commit.ts';
import type { Session } from '../../coordination/session.ts';
import { limits } from '../../domain/limits.ts';
import { Changes } from '../support/changes.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { Frame } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { create, next, openSession, reached } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const { session: writer } = await openSession(wholeFile, zookeeper, {
  sessionTimeoutMs: 30_000,
  operationTimeoutMs: 60_000,
});
const setWatches = 101;

/** Waits until all of them have fired. */
class Fired {
  readonly paths: string[] = [];
  readonly #changes = new Changes();

  watch(session: Session, path: string): Promise<unknown> {
    const onChange = () => {
      this.paths.push(path);
      this.#changes.announce();
    };
    return session.watch(path, onChange).stat;
  }

  count(count: number): Promise<true> {
    const look = () => (this.paths.length >= count ? true : null);
    return this.#changes.until(look, 10_000, (late) => (late ? new Error(`${this.paths.length} have fired`) : null));
  }
}

test('more watches than fit into a packet are set again after a reconnect, and fire once', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  const parent = `/${'p'.repeat(250)}`;
  await writer.commit([create(parent)]);
  const paths = Array.from({ length: 5000 }, (_, i) => `${parent}/watched-${i}`);
  const bytes = paths.reduce((sum, path) => sum + path.length + 4, 0);
  assert.ok(bytes > 1.2 * 1024 * 1024);
  const commits = new GroupCommit(writer);
  const even = paths.filter((_, i) => i % 2 === 0);
  await Promise.all(even.map((path) => commits.commit([create(path)])));
  const fired = new Fired();
  await Promise.all(paths.map((path) => fired.watch(session, path)));

  proxy.refuse();
  proxy.cut();
  await next(session, 'suspended');
  // While the link is away: one that was there goes, one changes, one that was not there comes.
  await writer.commit([
    { kind: 'remove', path: paths[0] as string, version: null },
    { kind: 'set', path: paths[2] as string, data: Buffer.from('new'), version: null },
    create(paths[1] as string),
  ]);
  const requests: Frame[] = [];
  proxy.onFrame((frame) => frame.opcode === setWatches && requests.push(frame));
  await proxy.accept();
  await fired.count(3);
  assert.deepEqual([...fired.paths].sort(), paths.slice(0, 3).sort());
  await session.sync('/');
  assert.ok(requests.length >= bytes / limits.setWatchesBytesMax, `${requests.length} requests`);
  assert.ok(requests.every(({ bytes }) => bytes.length < limits.setWatchesBytesMax + 1024));

  // And all the others are set.
  const changes = paths.slice(3).map((path, i) => {
    const operation = { kind: 'set', path, data: Buffer.from('x'), version: null } as const;
    return commits.commit([(i + 3) % 2 === 0 ? operation : create(path)]);
  });
  await Promise.all(changes);
  await fired.count(paths.length);
  await session.sync('/');
  assert.equal(fired.paths.length, paths.length);
  assert.equal(new Set(fired.paths).size, paths.length);
  assert.equal(proxy.connectionsSeen, 2);
});

test('a watch that was taken back, or has fired, is not set again', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  await writer.commit([create('/once'), create('/back')]);
  const fired = new Fired();
  const back = session.watch('/back', () => assert.fail('it was taken back'));
  await Promise.all([fired.watch(session, '/once'), back.stat]);
  back.cancel();
  await writer.commit([{ kind: 'set', path: '/once', data: Buffer.from('x'), version: null }]);
  await fired.count(1);
  const requests: Frame[] = [];
  proxy.onFrame((frame) => frame.opcode === setWatches && requests.push(frame));
  proxy.cut();
  await next(session, 'connected');
  await session.sync('/');
  assert.equal(requests.length, 0);
});

test('a watch that nobody wants any more is taken back at the server, and one that somebody wants stays', async (t) => {
  const { session } = await openSession(t, zookeeper);
  await writer.commit([create('/there')]);
  const fired = new Fired();
  const isWatched = async (path: string) => (await zookeeper.fourLetterWord('wchp')).split('\n').includes(path);
  for (const path of ['/there', '/not-there']) {
    const first = session.watch(path, () => assert.fail('it was taken back'));
    const second = session.watch(path, () => assert.fail('it was taken back'));
    await Promise.all([first.stat, second.stat]);
    first.cancel();
    await session.sync('/');
    assert.ok(await isWatched(path), `${path} is watched for the second`);
    second.cancel();
    second.cancel();
    await session.sync('/');
    assert.ok(!(await isWatched(path)), `${path} is watched by nobody`);
    // Taken back and wanted again, before the server has answered anything.
    session.watch(path, () => assert.fail('it was taken back')).cancel();
    await fired.watch(session, path);
  }
  await writer.commit([create('/not-there'), { kind: 'remove', path: '/there', version: null }]);
  await fired.count(2);
  assert.deepEqual([await isWatched('/there'), await isWatched('/not-there')], [false, false]);
});

test('a watch that was taken back before there was a link to set it by is not left at the server', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  proxy.refuse();
  proxy.cut();
  await next(session, 'suspended');
  const watches = ['/given-up', '/given-up'].map((path) => session.watch(path, () => assert.fail('it was taken back')));
  for (const { cancel } of watches) cancel();
  await proxy.accept();
  await Promise.all(watches.map(({ stat }) => stat));
  await session.sync('/');
  assert.ok(!(await zookeeper.fourLetterWord('wchp')).includes('/given-up'));
});

test('all watches fire when the session ends, so that nobody waits for ever', async (t) => {
  const { session } = await openSession(t, zookeeper);
  const fired = new Fired();
  await fired.watch(session, '/nobody-makes-it');
  await session.close();
  await fired.count(1);
  await reached(session, 'closed');
});
