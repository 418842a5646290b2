// Goal: tasks that are submitted together are made together or not at all, and whoever submitted them learns which they
// are, whatever becomes of the link. Method: the gateway's store on real servers, one and three, through a fault proxy.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { keyPaths } from '../../coordination/key-paths.ts';
import { encodeTask } from '../../coordination/task-record.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { limits } from '../../domain/limits.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import { taskNumber } from '../../domain/task-id.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startEnsemble } from '../support/zookeeper-ensemble.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { finish, proxiedStore, startStore, writesTo } from './store-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const print = 'of one request';

function batchOf(size: number, members: Partial<TaskRecord> = {}): TaskRecord[] {
  const submitId = randomUUID();
  return Array.from({ length: size }, (_, index) =>
    taskRecord({ payload: index, ...members, submitId, batch: { index, size } }),
  );
}

/** A thousand tasks that take exactly so many bytes as stored. */
function batchOfBytes(bytes: number): TaskRecord[] {
  const size = limits.batchTasksMax;
  const plain = batchOf(size, { payload: '' });
  const each = Math.floor((bytes - plain.reduce((sum, record) => sum + encodeTask(record).length, 0)) / size);
  const records = plain.map((record) => ({ ...record, payload: 'x'.repeat(each) }));
  const missing = bytes - records.reduce((sum, record) => sum + encodeTask(record).length, 0);
  const [first, ...others] = records as [TaskRecord, ...TaskRecord[]];
  return [{ ...first, payload: 'x'.repeat(each + missing) }, ...others];
}

function consecutive(ids: readonly TaskId[]): boolean {
  const [first] = ids;
  return first !== undefined && ids.every((id, place) => taskNumber(id) === taskNumber(first) + place);
}

test('all in one transaction, in their order', async (t) => {
  const { store, session } = await proxiedStore(t, zookeeper);
  await store.submit(taskRecord(), null);
  const records = batchOf(20);
  const { ids, created } = await store.submitBatch(records, null);
  assert.equal(created, true);
  assert.equal(ids.length, 20);
  assert.ok(consecutive(ids));
  const znodes = await Promise.all(ids.map((id) => session.getData(paths.task(id))));
  assert.equal(new Set(znodes.map((znode) => znode?.stat.czxid)).size, 1);
  for (const [place, id] of ids.entries()) assert.deepEqual((await store.read(id))?.record, records[place]);
});

test('a thousand tasks of 900 KiB as stored fit; a byte more is refused, and nothing is sent', async (t) => {
  const { store, proxy, names } = await proxiedStore(t, zookeeper);
  const full = batchOfBytes(limits.batchBytesMax);
  assert.equal((await store.submitBatch(full, null)).ids.length, 1000);
  const [first, ...others] = batchOfBytes(limits.batchBytesMax);
  assert.ok(first);
  const over = [{ ...first, payload: `${first.payload}x` }, ...others];
  await assert.rejects(store.submitBatch(over, null), { reason: 'batch-too-large' });
  assert.equal((await names('/tasks')).length, 1000);
  assert.equal(proxy.connectionsSeen, 1);
  // With a key the transaction has 1002 operations.
  const keyed = batchOfBytes(limits.batchBytesMax - 30_000).map((task) => ({ ...task, idempotencyKey: 'k' }));
  const made = await store.submitBatch(keyed, print);
  assert.deepEqual((await store.submitBatch(keyed.map(resubmitted), print)).ids, made.ids);
  assert.equal(proxy.connectionsSeen, 1);
});

function resubmitted(record: TaskRecord): TaskRecord {
  return { ...record, submitId: `again ${record.submitId}` };
}

test('below a long chroot what does not fit into a packet is refused as too large, and the link is kept', async (t) => {
  const chroot = `/${randomBytes(50).toString('hex')}`.slice(0, 100);
  const { store, proxy, names } = await proxiedStore(t, zookeeper, { chroot });
  await assert.rejects(store.submitBatch(batchOfBytes(limits.batchBytesMax), null), { reason: 'batch-too-large' });
  assert.equal((await names('/tasks')).length, 0);
  assert.equal((await store.submitBatch(batchOfBytes(820 * 1024), null)).ids.length, 1000);
  assert.equal(proxy.connectionsSeen, 1);
});

test('an ensemble of three takes a thousand tasks of 900 KiB, whichever server is asked', async (t) => {
  const ensemble = await startEnsemble(t);
  for (const [place, server] of ensemble.servers.entries()) {
    const store = await startStore(t, server, { chroot: `/of-server-${place}` });
    const { ids } = await store.submitBatch(batchOfBytes(limits.batchBytesMax), null);
    assert.equal(ids.length, 1000);
    assert.ok(consecutive(ids));
    assert.equal(((await store.read(ids[999] as TaskId))?.record?.batch?.index ?? 0) + 1, 1000);
  }
});

test('the answer is lost: found again as a whole, also among others', async (t) => {
  const { store, proxy, names, session } = await proxiedStore(t, zookeeper);
  await store.submit(taskRecord(), null);
  const swallowed = proxy.swallowNextReply(writesTo(paths.taskPrefix));
  const batches = [3, 50, 200].map((size) => ({ size, submitted: store.submitBatch(batchOf(size), null) }));
  assert.equal((await swallowed).error, 0);
  for (const { size, submitted } of batches) {
    const { ids, created } = await submitted;
    assert.deepEqual([ids.length, created, consecutive(ids)], [size, true, true]);
    for (const [place, id] of ids.entries()) {
      assert.equal(JSON.parse((await session.getData(paths.task(id)))?.data.toString() ?? '').batch.index, place);
    }
  }
  assert.equal((await names('/tasks')).length, 254);
});

test('the request is lost: not applied, none of it, and made after all, with and without a key', async (t) => {
  const { store, proxy, names } = await proxiedStore(t, zookeeper);
  const dropped = proxy.dropNextRequest(writesTo(paths.taskPrefix));
  assert.equal((await store.submitBatch(batchOf(5), null)).ids.length, 5);
  await dropped;
  assert.equal((await names('/tasks')).length, 5);
  const again = proxy.dropNextRequest(writesTo(paths.taskPrefix));
  assert.equal((await store.submitBatch(batchOf(5, { idempotencyKey: 'k' }), print)).created, true);
  await again;
  assert.equal((await names('/tasks')).length, 10);
});

test('the session is lost with the answer: unknown; with a key a repeat by another gateway finds all of it', async (t) => {
  const { store, other, proxy, session, names } = await proxiedStore(t, zookeeper, { sessionTimeoutMs: 1000 });
  await session.create(keyPaths('k').bucket);
  const records = batchOf(5, { idempotencyKey: 'k' });
  const swallowed = proxy.swallowNextReply(writesTo(paths.taskPrefix));
  proxy.refuse();
  const submitted = assert.rejects(store.submitBatch(records, print), { reason: 'outcome-unknown' });
  assert.equal((await swallowed).error, 0);
  await submitted;
  const { ids, created } = await other.submitBatch(records.map(resubmitted), print);
  assert.deepEqual([ids, created], [await names('/tasks'), false]);
  assert.equal(ids.length, 5);
});

test('with a key: the answer is lost, and it counts as made; a repeat gets the same, another request is refused', async (t) => {
  const { store, other, proxy, session, names } = await proxiedStore(t, zookeeper);
  await session.create(keyPaths('k').bucket);
  const records = batchOf(30, { idempotencyKey: 'k' });
  const swallowed = proxy.swallowNextReply(writesTo(paths.taskPrefix));
  const first = await store.submitBatch(records, print);
  assert.equal((await swallowed).error, 0);
  assert.deepEqual([first.created, first.ids], [true, await names('/tasks')]);
  for (const gateway of [store, other]) {
    const again = await gateway.submitBatch(records.map(resubmitted), print);
    assert.deepEqual([again.created, again.ids], [false, first.ids]);
  }
  await assert.rejects(other.submitBatch(records, 'of another'), { reason: 'idempotency-key-reused' });
  await assert.rejects(other.submit(taskRecord({ idempotencyKey: 'k' }), 'a'), { reason: 'idempotency-key-reused' });
  assert.equal((await names('/tasks')).length, 30);
});

test('a repeat gets those that are still kept, in order, whichever were deleted; when all are gone, new ones', async (t) => {
  const { store, session, names } = await proxiedStore(t, zookeeper);
  const records = batchOf(4, { idempotencyKey: 'k' });
  const { ids } = await store.submitBatch(records, print);
  assert.equal(ids.length, 4);
  const [first, second, third, fourth] = ids as unknown as [TaskId, TaskId, TaskId, TaskId];
  for (const id of [first, third]) await finish(session, id);
  assert.equal(await store.remove(third), 'removed');
  const again = await store.submitBatch(records.map(resubmitted), print);
  assert.deepEqual([again.created, again.ids], [false, [first, second, fourth]]);
  assert.deepEqual((await store.findByKey('k', print))?.id, first);
  assert.equal(await store.remove(first), 'removed');
  const rest = await store.submitBatch(records.map(resubmitted), print);
  assert.deepEqual([rest.created, rest.ids], [false, [second, fourth]]);
  for (const id of [second, fourth]) await finish(session, id);
  assert.deepEqual(await Promise.all([second, fourth].map((id) => store.remove(id))), ['removed', 'removed']);
  assert.equal(await store.findByKey('k', print), null);
  assert.equal((await store.submitBatch(records.map(resubmitted), print)).created, true);
  assert.equal((await names('/tasks')).length, 4);
});

test('the first of a batch was removed by hand: the others are still found by the key', async (t) => {
  const { store, session } = await proxiedStore(t, zookeeper);
  const records = batchOf(3, { idempotencyKey: 'k' });
  const { ids } = await store.submitBatch(records, print);
  await session.remove(paths.task(ids[0] as TaskId));
  const again = await store.submitBatch(records.map(resubmitted), print);
  assert.deepEqual([again.created, again.ids], [false, ids.slice(1)]);
});

test('what comes while a full batch is under way goes through beside it', async (t) => {
  const { store, names } = await proxiedStore(t, zookeeper);
  const batches = Array.from({ length: 4 }, () => store.submitBatch(batchOfBytes(limits.batchBytesMax), null));
  const singles = Array.from({ length: 100 }, (_, i) => store.submit(taskRecord({ payload: i }), null));
  const made = [
    ...(await Promise.all(batches)).flatMap(({ ids }) => ids),
    ...(await Promise.all(singles)).map(({ id }) => id),
  ];
  assert.deepEqual(made.sort(), await names('/tasks'));
  assert.equal(made.length, 4100);
});
