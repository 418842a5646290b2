// Goal: one idempotency key makes one task or one batch, whichever gateways are asked at the same time and whatever becomes of
// their links; and to find what a key has made stays cheap. Method: the gateway's store, two of them, on a real ZooKeeper,
// one behind a fault proxy that also counts what is asked. (What coordination promises of keys: coordination-idempotency.)

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { keyPaths } from '../../coordination/key-paths.ts';
import { encodeTask } from '../../coordination/task-record.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import { taskNumber } from '../../domain/task-id.ts';
import type { TaskStore } from '../../gateway/api/task-store.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { dataReadsIn } from '../support/wire-operations.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { proxiedStore } from './store-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const print = 'of one request';

function batchOf(size: number, members: Partial<TaskRecord> = {}): TaskRecord[] {
  const submitId = randomUUID();
  return Array.from({ length: size }, (_, index) =>
    taskRecord({ payload: index, ...members, submitId, batch: { index, size } }),
  );
}

/** A thousand tasks that take exactly so many bytes as stored. */
test('two gateways at the same time with one key: one makes the tasks, the other gets them, in every round', async (t) => {
  const { store, other, names } = await proxiedStore(t, zookeeper);
  let makers = 0;
  for (let round = 1; round <= 40; round += 1) {
    const idempotencyKey = `round ${round}`;
    const size = round % 2 === 0 ? 1 : 5;
    const submits = [store, other, store, other].map((gateway) => {
      const records = batchOf(size, { idempotencyKey });
      return size === 1 ? single(gateway, records) : gateway.submitBatch(records, print);
    });
    const results = await Promise.all(submits);
    assert.equal(results.filter(({ created }) => created).length, 1, `round ${round}`);
    assert.deepEqual(new Set(results.map(({ ids }) => ids.join())).size, 1, `round ${round}`);
    makers += size;
  }
  assert.equal((await names('/tasks')).length, makers);
});

async function single(gateway: TaskStore, [record]: readonly TaskRecord[]) {
  assert.ok(record);
  const { id, created } = await gateway.submit({ ...record, batch: null }, print);
  return { ids: [id], created };
}

test('a hundred times at the same time with one new key: it is in one transaction, and holds nobody up', async (t) => {
  const { store, proxy, names } = await proxiedStore(t, zookeeper);
  await store.submit(taskRecord(), null);
  let transactions = 0;
  proxy.onFrame(({ direction, opcode }) => {
    if (direction === 'toServer' && opcode === opcodes.multi) transactions += 1;
  });
  const submits = Array.from({ length: 100 }, () => store.submit(taskRecord({ idempotencyKey: 'new' }), print));
  const another = store.submit(taskRecord({ idempotencyKey: 'new' }), 'of another');
  await assert.rejects(another, { reason: 'idempotency-key-reused' });
  assert.equal((await Promise.all(submits)).filter(({ created }) => created).length, 1);
  assert.ok(transactions <= 4, `${transactions} transactions`); // with those that make the key's bucket
  assert.equal((await names('/tasks')).length, 2);
});

test('with one key, at the same time, while the link of one is cut again and again: one task a key', async (t) => {
  const { store, other, proxy, names } = await proxiedStore(t, zookeeper);
  const rounds = 12;
  for (let round = 1; round <= rounds; round += 1) {
    const record = () => taskRecord({ idempotencyKey: `cut ${round}` });
    const submits = [store.submit(record(), print), other.submit(record(), print), store.submit(record(), print)];
    if (round % 3 === 0) await proxy.nextFrame(({ opcode }) => opcode === opcodes.multi);
    proxy.cut();
    const results = await Promise.all(submits);
    assert.equal(new Set(results.map(({ id }) => id)).size, 1, `round ${round}`);
    assert.equal(results.filter(({ created }) => created).length, 1, `round ${round}`);
  }
  assert.equal((await names('/tasks')).length, rounds);
});

test('found by its key: the task that it made, or nothing; also when another gateway has just made it', async (t) => {
  const { store, other, proxy } = await proxiedStore(t, zookeeper);
  assert.equal(await store.findByKey('k', print), null);
  const { id } = await other.submit(taskRecord({ idempotencyKey: 'k' }), print);
  proxy.cut();
  const found = await store.findByKey('k', print);
  assert.deepEqual([found?.id, found?.created], [id, false]);
  await assert.rejects(store.findByKey('k', 'of another'), { reason: 'idempotency-key-reused' });
});

test('a repeat costs a few reads, not a list of all tasks; also where others came in between', async (t) => {
  const { store, proxy, names } = await proxiedStore(t, zookeeper);
  const [first] = await Promise.all([
    store.submit(taskRecord({ idempotencyKey: 'k' }), print),
    ...Array.from({ length: 20 }, () => store.submit(taskRecord(), null)),
  ]);
  for (let i = 0; i < 3; i += 1) await store.submitBatch(batchOf(500), null);
  let lists = 0;
  let reads = 0;
  let looks = 0;
  const stop = proxy.onFrame(({ direction, opcode, body }) => {
    if (direction !== 'toServer') return;
    if (opcode === 12 || opcode === 8) lists += 1;
    reads += dataReadsIn(opcode, body).length;
    if (opcode === 3) looks += 1;
  });
  assert.equal((await store.submit(taskRecord({ idempotencyKey: 'k' }), print)).id, first.id);
  stop();
  assert.equal(lists, 0);
  assert.ok(reads <= 25 && looks <= 35, `${reads} reads of data, ${looks} without`);
  assert.equal((await names('/tasks')).length, 1521);
});

test('a key whose task is far from where it says: found all the same', async (t) => {
  const { store, other, session } = await proxiedStore(t, zookeeper);
  const { id } = await store.submit(taskRecord({ idempotencyKey: 'k' }), print);
  const { path, bucket } = keyPaths('far');
  for (let i = 0; i < 60; i += 1) await store.submit(taskRecord(), null);
  const record = taskRecord({ idempotencyKey: 'far' });
  const key = { v: 1, fingerprint: print, submitId: record.submitId, nextNumber: taskNumber(id) };
  await session.create(bucket);
  const data = Buffer.from(JSON.stringify(key));
  const results = await session.commit([
    { kind: 'create', path, data, mode: 'persistent' },
    { kind: 'create', path: paths.taskPrefix, data: encodeTask(record), mode: 'sequential' },
  ]);
  const repeated = await other.submit({ ...record, submitId: 'again' }, print);
  assert.deepEqual([paths.task(repeated.id), repeated.created], [results[1]?.path, false]);
});

test('names that a person made out of order mislead no search', async (t) => {
  const { store, session } = await proxiedStore(t, zookeeper);
  await store.submitBatch(batchOf(100), null);
  const { id } = await store.submit(taskRecord({ idempotencyKey: 'k' }), print);
  const key = await session.getData(keyPaths('k').path);
  // The place that it says is far off, and the names in between are younger than their numbers.
  const far = JSON.stringify({ ...JSON.parse(key?.data.toString() ?? ''), nextNumber: 0 });
  await session.commit([{ kind: 'set', path: keyPaths('k').path, data: Buffer.from(far), version: null }]);
  for (const number of [40, 50, 51, 60, 75, 99]) {
    const path = `${paths.taskPrefix}${String(number).padStart(10, '0')}`;
    await session.remove(path);
    await session.create(path, 'by hand');
  }
  const again = await store.submit(taskRecord({ idempotencyKey: 'k' }), print);
  assert.deepEqual([again.id, again.created], [id, false]);
});

test('a thousand repeats at once, of a thousand submits at once, of large tasks: each finds its own', async (t) => {
  const { store, other, names } = await proxiedStore(t, zookeeper);
  const keys = Array.from({ length: 1000 }, (_, i) => `key ${i}`);
  const submitAll = (gateway: TaskStore) =>
    Promise.all(
      keys.map(async (idempotencyKey) => {
        const record = taskRecord({ idempotencyKey, payload: 'x'.repeat(20_000) });
        return (await gateway.submit(record, print)).id;
      }),
    );
  const startedAt = performance.now();
  const made: TaskId[] = await submitAll(other);
  const madeAt = performance.now();
  assert.deepEqual(await submitAll(store), made);
  const ms = [madeAt - startedAt, performance.now() - madeAt].map(Math.round);
  assert.equal((await names('/tasks')).length, 1000);
  t.diagnostic(`made in ${ms[0]} ms, found again in ${ms[1]} ms`);
});
