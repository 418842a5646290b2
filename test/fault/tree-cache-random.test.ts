// Goal: whatever changes and whenever the link is cut, the picture of a TreeCache ends equal to a fresh read of the tree.
// Method: seeded random creations, changes and removals by another session, and creations by the cache's own that it is told to expect,
// while its link is cut at random moments, or holds answers and events back and then delivers them in one piece, so that what was read is overtaken by
// events before anybody has looked at it. A failure names its seed: TREE_CACHE_SEED=<seed> runs it alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { Session } from '../../coordination/session.ts';
import type { TreeCache } from '../../coordination/tree-cache.ts';
import { newZnode, type Operation } from '../../coordination/zookeeper-requests.ts';
import { wholeFile } from '../support/cleanup.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { create, openSession, reached } from './session-harness.ts';
import { type Content, lines, readTree, TreePicture } from './tree-picture.ts';

const zookeeper = await startZooKeeper(wholeFile);
const depth = 2;
const changesEach = 400;
const given = process.env['TREE_CACHE_SEED'];
const seeds = given === undefined ? [1, 2, 3, 4] : [Number(given)];

/** Mulberry32: small, seeded, good enough to choose what to do next. */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** Few names, so that they are removed and made again often; one level more than the cache looks at. */
function randomChange(root: string, random: (bound: number) => number, i: number): Operation {
  const names = Array.from({ length: random(depth + 2) }, () => `/${'abcdef'[random(6)]}`);
  const path = root + names.join('');
  if (random(5) === 0) return { kind: 'remove', path, version: null };
  if (random(2) === 0) return { kind: 'set', path, data: Buffer.from(String(i)), version: null };
  return create(path, String(i));
}

async function change(writer: Session, operation: Operation): Promise<void> {
  await writer.commit([operation]).catch((error: unknown) => {
    if (!(error instanceof CoordinationError) || error.outcome !== 'not applied') throw error;
  });
}

/** Over the cache's own session, with what the commit answers in the place of a read. Its outcome may stay unknown. */
async function createOwn(session: Session, cache: TreeCache, path: string, content: string): Promise<void> {
  const data = Buffer.from(content);
  const committed = session.commit([create(path, content)]).then(([created]) => {
    assert.ok(created);
    return newZnode(data, created.zxid, Date.now());
  });
  cache.expect(path, committed);
  await committed.catch((error: unknown) => {
    if (!(error instanceof CoordinationError)) throw error;
  });
}

interface Run {
  readonly writer: Session;
  readonly proxy: FaultProxy;
  readonly root: string;
  /** Null: none of the cache's own session. */
  readonly createOwn: ((path: string, content: string) => Promise<void>) | null;
}

/** Many at once, so that cuts fall among events and reads; some of them are refused, which is as good. */
async function run({ writer, proxy, root, createOwn }: Run, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const own: Promise<void>[] = [];
  for (let i = 0; i < changesEach; i += 1) {
    const holds = random(3) === 0;
    if (holds) proxy.silence('toClient');
    for (let burst = holds ? 3 : 1; burst > 0; burst -= 1) {
      const changes = Array.from({ length: 1 + random(10) }, () => {
        const operation = randomChange(root, random, i);
        if (operation.kind !== 'create' || !createOwn || random(2) === 0) return change(writer, operation);
        own.push(createOwn(operation.path, `own ${i}`));
        return null;
      });
      if (random(40) === 0) proxy.cut();
      await Promise.all(changes);
      for (let turns = random(4); turns > 0; turns -= 1) await turn();
    }
    await proxy.heal();
  }
  await Promise.all(own);
}

interface Kind {
  readonly name: string;
  readonly content: Content;
  /** From so many znodes on the cache asks what has changed. */
  readonly manyZnodes: number;
}

const kinds: readonly Kind[] = [
  { name: 'data', content: 'data', manyZnodes: Infinity },
  { name: 'changed data', content: 'data', manyZnodes: 0 },
  { name: 'names', content: 'names', manyZnodes: Infinity },
];

for (const { name, content, manyZnodes } of kinds) {
  for (const seed of seeds) {
    test(`random changes and cuts, ${name}, seed ${seed}`, async (t) => {
      const { session: writer } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000 });
      const proxy = await startFaultProxy(t, zookeeper);
      const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
      const root = `/${name.replace(' ', '-')}-${seed}`;
      const tree = new TreePicture(session, root, depth, content, { manyZnodes });
      await tree.cache.start();
      const own = (path: string, data: string) => createOwn(session, tree.cache, path, data);
      await run({ writer, proxy, root, createOwn: content === 'data' ? own : null }, seed);
      const truth = lines(await readTree(writer, root, depth, content));
      await reached(session, 'connected');
      await tree.until(() => tree.cache.synced);
      await session.sync('/');
      await tree
        .until(() => JSON.stringify(lines(tree.picture)) === JSON.stringify(truth), 5000)
        .catch(() => assert.deepEqual(lines(tree.picture), truth));
      assert.ok(proxy.connectionsSeen > 3, `${proxy.connectionsSeen} connections`);
      assert.equal(session.signal.aborted, false);
    });
  }
}
