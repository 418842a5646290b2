// Goal: bursts of small answers and one big answer cost what they weigh. (The npm client copies all that is left of a
// chunk once for each packet in it, which is quadratic.) Here on a real server; pieces of every size are a unit test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupCommit } from '../../coordination/group-commit.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { create, openSession } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const children = 30_000;

/** All bytes that the process copies into new buffers while `run` runs, beside those of the network itself. */
async function bytesConcatenated(run: () => Promise<void>): Promise<number> {
  const original = Buffer.concat;
  let copied = 0;
  Buffer.concat = (...args: Parameters<typeof original>) => {
    const joined = original(...args);
    copied += joined.length;
    return joined;
  };
  await run().finally(() => {
    Buffer.concat = original;
  });
  return copied;
}

test('a list of 30,000 children and 30,000 answers at once', async (t) => {
  const { session } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000, operationTimeoutMs: 60_000 });
  await session.commit([create('/many')]);
  const names = Array.from({ length: children }, (_, i) => `child-${String(i).padStart(9, '0')}`);
  const commits = new GroupCommit(session);
  await Promise.all(names.map((name) => commits.commit([create(`/many/${name}`, 'some data')])));

  const proxy = await startFaultProxy(t, zookeeper);
  const { session: reader } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000, operationTimeoutMs: 60_000 });
  const listBytes = names.length * (4 + 15);
  const forList = await bytesConcatenated(async () => {
    assert.deepEqual((await reader.getChildren('/many'))?.children.sort(), names);
  });
  assert.ok(forList <= 2.5 * listBytes, `${forList} bytes copied for a list of ${listBytes}`);

  const answerBytes = children * (20 + 4 + 9 + 68);
  const forBurst = await bytesConcatenated(async () => {
    const read = await Promise.all(names.map((name) => reader.getData(`/many/${name}`)));
    assert.ok(read.every((znode) => znode?.data.toString() === 'some data'));
  });
  assert.ok(forBurst <= 2.5 * answerBytes, `${forBurst} bytes copied for answers of ${answerBytes}`);
  assert.equal(proxy.connectionsSeen, 0);
});
