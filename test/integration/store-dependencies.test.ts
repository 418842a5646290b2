// Goal: a task comes after tasks that exist, and after no others, whatever any server or gateway believes; and what is
// submitted so is still made once, and known to be made or not. Method: the gateway's store on a real server, through a fault
// proxy; one whose server is behind is in store-lagging-server.test.ts.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { paths } from '../../coordination/znode-paths.ts';
import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import { dependenciesOf, taskIdOf } from '../../domain/task-id.ts';
import type { ZooKeeperTaskStore } from '../../gateway/store/zookeeper-task-store.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { finish, proxiedStore, writesTo } from './store-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const print = 'of one request';
const missing = taskIdOf(2_000_000_000);

function after(...dependencies: TaskRecord['after']): TaskRecord {
  return taskRecord({ after: dependencies });
}

function batchAfter(...members: TaskRecord['after'][]): TaskRecord[] {
  const submitId = randomUUID();
  const size = members.length;
  return members.map((dependencies, index) => taskRecord({ after: dependencies, submitId, batch: { index, size } }));
}

async function submitted(store: ZooKeeperTaskStore, record = taskRecord()): Promise<TaskId> {
  return (await store.submit(record, null)).id;
}

async function notFound(work: Promise<unknown>, id: TaskId, pointer: string): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof ServiceError, String(error));
    assert.deepEqual([error.reason, error.faults[0]?.pointer], ['dependency-not-found', pointer]);
    assert.ok(error.message.includes(id));
    return true;
  });
}

test('a task comes after others that exist, whatever has become of them', async (t) => {
  const { store, session } = await proxiedStore(t, zookeeper);
  const [waiting, ended] = [await submitted(store), await submitted(store)];
  await finish(session, ended);
  await session.create('/tasks/task-7', 'by hand');
  const record = after(waiting, ended, 'task-7' as TaskId);
  const id = await submitted(store, record);
  assert.deepEqual((await store.read(id))?.record, record);
});

test('what does not exist is named, with its place, and nothing is made', async (t) => {
  const { store, names } = await proxiedStore(t, zookeeper);
  const first = await submitted(store);
  await notFound(submitted(store, after(first, missing)), missing, '/after/1');
  await notFound(store.submitBatch(batchAfter([], [0, first, missing]), null), missing, '/tasks/1/after/2');
  await notFound(store.submitBatch(batchAfter([missing], [missing]), null), missing, '/tasks/0/after/0');
  assert.deepEqual(await names('/tasks'), [first]);
});

test('members of a batch need no check of each other, and find each other', async (t) => {
  const { store } = await proxiedStore(t, zookeeper);
  const outside = await submitted(store);
  const records = batchAfter([], [0], [outside, 1, 0]);
  const { ids } = await store.submitBatch(records, null);
  const third = records[2];
  assert.ok(third && ids[2]);
  assert.deepEqual(dependenciesOf(ids[2], third), [outside, ids[1], ids[0]]);
});

test('one that does not exist refuses its own submit and none that shares the transaction', async (t) => {
  const { store, names } = await proxiedStore(t, zookeeper);
  const first = await submitted(store);
  const bad = Array.from({ length: 60 }, (_, place) => taskIdOf(2_000_000_000 + place));
  const outcomes = await Promise.all(
    bad.map(async (id) => {
      const good = submitted(store, after(first));
      await notFound(submitted(store, after(first, id)), id, '/after/1');
      return good;
    }),
  );
  assert.deepEqual(await names('/tasks'), [first, ...outcomes].sort());
});

test('the answer is lost: the task is found; a refusal comes again', async (t) => {
  const { store, proxy, names } = await proxiedStore(t, zookeeper);
  const first = await submitted(store);
  const made = proxy.swallowNextReply(writesTo(paths.taskPrefix));
  const { ids } = await store.submitBatch(batchAfter([first], [first, 0]), null);
  assert.equal((await made).error, 0);
  assert.deepEqual(await names('/tasks'), [first, ...ids]);
  const refused = proxy.swallowNextReply(writesTo(paths.taskPrefix));
  await notFound(submitted(store, after(missing)), missing, '/after/0');
  await refused;
  assert.equal((await names('/tasks')).length, 3);
});

test('with a key: the answer is lost, and the dependency goes, and it is the first task all the same', async (t) => {
  const { store, other, proxy, session, names } = await proxiedStore(t, zookeeper);
  const first = await submitted(store);
  const keyed = () => ({ ...after(first), idempotencyKey: 'k' });
  const made = proxy.swallowNextReply(writesTo(paths.taskPrefix));
  const { id, created } = await store.submit(keyed(), print);
  assert.deepEqual([(await made).error, created], [0, true]);
  await session.remove(paths.task(first));
  for (const gateway of [store, other]) {
    const again = await gateway.submit(keyed(), print);
    assert.deepEqual([again.id, again.created], [id, false]);
  }
  await notFound(store.submit({ ...keyed(), idempotencyKey: 'l' }, print), first, '/after/0');
  assert.deepEqual(await names('/tasks'), [id]);
  // The refused one has left no key behind: the key is free for another request.
  assert.equal((await store.submit(taskRecord({ idempotencyKey: 'l' }), 'of another')).created, true);
});

test('a batch may come after as many as there may be, with a key, too', async (t) => {
  const { store } = await proxiedStore(t, zookeeper);
  const outside = (await store.submitBatch(batchAfter(...Array.from({ length: 1000 }, () => [])), null)).ids;
  assert.equal(outside.length, limits.batchDependenciesMax);
  const members = Array.from({ length: 1000 }, (_, place) => outside.slice(place % 10 === 0 ? place : 0).slice(0, 10));
  const records = batchAfter(...members).map((record) => ({ ...record, idempotencyKey: 'k' }));
  const { ids } = await store.submitBatch(records, print);
  assert.deepEqual((await store.read(ids[990] as TaskId))?.record?.after, outside.slice(990));
  assert.deepEqual((await store.submitBatch(records, print)).ids, ids);
});
