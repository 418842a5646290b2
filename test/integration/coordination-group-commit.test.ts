// Goal: writes that come together share transactions, and share nothing else: a refused one is refused alone, a lost
// right to write refuses all, and what may have been applied is never sent again.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import { GroupCommit } from '../../coordination/group-commit.ts';
import type { Operation } from '../../coordination/zookeeper-requests.ts';
import { limits } from '../../domain/limits.ts';
import { create, openSession, reached } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { type Frame, opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const isMulti = (opcode: number) => opcode === opcodes.multi;

async function proxied(t: TestContext) {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  const transactions: Frame[] = [];
  proxy.onFrame((frame) => frame.opcode === opcodes.multi && transactions.push(frame));
  return { proxy, session, transactions };
}

/** `applied`, or the error's code and outcome. */
async function outcomes(commits: readonly Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(commits);
  return settled.map((result) => {
    if (result.status === 'fulfilled') return 'applied';
    assert.ok(result.reason instanceof CoordinationError);
    return `${result.reason.code}, ${result.reason.outcome}`;
  });
}

test('1000 units in few transactions, none larger than the limits, results in their places', async (t) => {
  const { session, transactions } = await proxied(t);
  await session.commit([create('/group')]);
  transactions.length = 0;
  const commits = new GroupCommit(session);
  const data = 'x'.repeat(1000);
  const results = await Promise.all(
    Array.from({ length: 1000 }, (_, i) =>
      commits.commit([create(`/group/${i}`, data), create(`/group/${i}/n-`, '', 'sequential')]),
    ),
  );
  for (const [i, [first, second]] of results.entries()) {
    assert.deepEqual([first?.path, second?.path], [`/group/${i}`, `/group/${i}/n-0000000000`]);
  }
  assert.ok(transactions.length >= 8 && transactions.length < 20, `${transactions.length} transactions`);
  assert.ok(transactions.every(({ bytes }) => bytes.length <= limits.transactionBytesMax));
  assert.equal((await session.exists('/group'))?.numChildren, 1000);
});

test('of many that create the same one does, and the others are refused once it is there', async (t) => {
  const { session } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000 });
  const commits = new GroupCommit(session);
  const found = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      commits.commit([create('/same', String(i))]).then(
        () => 'made',
        async () => (await session.getData('/same'))?.data.toString(),
      ),
    ),
  );
  assert.deepEqual([...new Set(found)], ['made', '0']);
  assert.equal(found.filter((what) => what === 'made').length, 1);
});

test('a lone unit waits for nothing', async (t) => {
  const { session, transactions } = await proxied(t);
  const commits = new GroupCommit(session);
  await commits.commit([create('/lone-1')]);
  await commits.commit([create('/lone-2')]);
  assert.equal(transactions.length, 2);
});

test('a refused unit is refused alone, with the index within it', async (t) => {
  const { session, transactions } = await proxied(t);
  const commits = new GroupCommit(session);
  const units: Operation[][] = Array.from({ length: 20 }, (_, i) => [
    create(`/refused-${i}`),
    create(`/refused-${i}/a`),
  ]);
  units[7] = [create('/refused-x'), create('/none/child')];
  units[13] = [create('/zookeeper')];
  const sent = units.map((unit) => commits.commit(unit));
  await assert.rejects(sent[7] as Promise<unknown>, {
    ...{ code: 'no_node', operationIndex: 1, outcome: 'not applied' },
    message: 'ZooKeeper refused create /none/child with code -101 (no_node, not applied)',
  });
  await assert.rejects(sent[13] as Promise<unknown>, { code: 'node_exists', operationIndex: 0 });
  const expected = units.map((_, i) => ({ 7: 'no_node, not applied', 13: 'node_exists, not applied' })[i] ?? 'applied');
  assert.deepEqual(await outcomes(sent), expected);
  assert.equal(await session.exists('/refused-x'), null);
  assert.equal(transactions.length, 3);
});

test('units that have the refused condition go together, the others again', async (t) => {
  const { session, transactions } = await proxied(t);
  await session.commit([create('/shared-a'), create('/shared-b')]);
  transactions.length = 0;
  const commits = new GroupCommit(session);
  const unit = (path: string, version: number, i: number): Operation[] => [
    { kind: 'check', path, version },
    create(`${path}/${i}`),
  ];
  const sent = Array.from({ length: 20 }, (_, i) =>
    commits.commit(i % 2 === 0 ? unit('/shared-a', 0, i) : unit('/shared-b', 7, i)),
  );
  const expected = sent.map((_, i) => (i % 2 === 0 ? 'applied' : 'bad_version, not applied'));
  assert.deepEqual(await outcomes(sent), expected);
  assert.equal((await session.exists('/shared-a'))?.numChildren, 10);
  assert.equal(transactions.length, 2);
});

test('a unit that is too large is refused alone', async (t) => {
  const { session, proxy } = await proxied(t);
  const commits = new GroupCommit(session);
  const huge = 'x'.repeat(limits.packetBytesMax);
  const sent = [create('/fits-1'), create('/fits-not', huge), create('/fits-2')].map((unit) => commits.commit([unit]));
  assert.deepEqual(await outcomes(sent), ['applied', 'too_large, not applied', 'applied']);
  assert.equal(proxy.connectionsSeen, 1);
});

test('a guard that is refused fences every unit', async (t) => {
  const { session } = await proxied(t);
  await session.commit([create('/guard')]);
  const commits = new GroupCommit(session, [{ kind: 'check', path: '/guard', version: 0 }]);
  const results = await commits.commit([create('/guarded', '1')]);
  assert.deepEqual(
    results.map(({ path }) => path),
    ['/guarded'],
  );
  await session.commit([{ kind: 'set', path: '/guard', data: Buffer.from('x'), version: 0 }]);
  const sent = Array.from({ length: 600 }, (_, i) => commits.commit([create(`/fenced-${i}`)]));
  assert.deepEqual(new Set(await outcomes(sent)), new Set(['fenced, not applied']));
  assert.equal(await session.exists('/fenced-0'), null);
});

test('an answer that was lost leaves every unit of its transaction unknown, and none is sent again', async (t) => {
  const { session, proxy, transactions } = await proxied(t);
  await session.commit([create('/lost')]);
  const commits = new GroupCommit(session);
  transactions.length = 0;
  const swallowed = proxy.swallowNextReply(isMulti);
  const sent = Array.from({ length: 10 }, () => commits.commit([create('/lost/n-', '', 'sequential')]));
  assert.deepEqual(new Set(await outcomes(sent)), new Set(['connection_lost, unknown']));
  await swallowed;
  await reached(session, 'connected');
  assert.equal((await session.exists('/lost'))?.numChildren, 10);
  assert.equal(transactions.length, 1);
  await commits.commit([create('/lost/after')]);
});
