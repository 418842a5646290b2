// Goal: cancel and removal do what they say once, whoever else is at the task at that moment and whatever becomes of the
// link, and touch nothing else. Method: the gateway's store on a real ZooKeeper through a fault proxy, which holds a
// transaction back while a person changes what it relied on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyPaths } from '../../coordination/key-paths.ts';
import { encodeTask } from '../../coordination/task-record.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId } from '../../domain/task.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { finish, heldBefore, type ProxiedStore, proxiedStore, startStore, writesTo } from './store-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const missing = 'task-0000000999' as TaskId;
const print = 'of one request';

async function finalTask({ store, session }: ProxiedStore, idempotencyKey: string | null = null): Promise<TaskId> {
  const fingerprint = idempotencyKey === null ? null : print;
  const { id } = await store.submit(taskRecord({ idempotencyKey }), fingerprint);
  await finish(session, id);
  return id;
}

test('cancel makes one znode with the reason; asked already is as good, and the first reason stays', async (t) => {
  const { store, other, session, names } = await proxiedStore(t, zookeeper);
  const { id } = await store.submit(taskRecord(), null);
  assert.equal(await store.cancel(id, 'not wanted'), true);
  assert.equal(await other.cancel(id, 'another reason'), true);
  assert.equal((await session.getData(paths.cancel(id)))?.data.toString(), 'not wanted');
  assert.deepEqual(await names(paths.task(id)), ['cancel']);
  assert.equal(await store.cancel(missing, 'of nothing'), false);
  assert.deepEqual(await names(paths.tasks), [id]);
});

test('cancel: the answer or the request is lost: asked all the same, once', async (t) => {
  const { store, proxy, names } = await proxiedStore(t, zookeeper);
  for (const lose of ['swallowNextReply', 'dropNextRequest'] as const) {
    const { id } = await store.submit(taskRecord(), null);
    const lost = proxy[lose](writesTo(paths.cancel(id)));
    assert.equal(await store.cancel(id, 'not wanted'), true);
    await lost;
    assert.deepEqual(await names(paths.task(id)), ['cancel']);
  }
});

test('cancel and removal: the session ends with the answer: unknown; and without a session nothing is tried', async (t) => {
  const parts = await proxiedStore(t, zookeeper, { sessionTimeoutMs: 1000 });
  const { store, proxy, sessions } = parts;
  const { id } = await store.submit(taskRecord(), null);
  const final = await finalTask(parts);
  const swallowed = proxy.swallowNextReply(writesTo(paths.cancel(id)));
  proxy.refuse();
  const [cancelled, removed] = [store.cancel(id, ''), store.remove(final)];
  const refused = assert.rejects(removed, { name: 'ServiceError' });
  await assert.rejects(cancelled, { reason: 'outcome-unknown' });
  await Promise.all([refused, swallowed]);
  await eventually('the session is lost', () => sessions[0]?.state === 'lost');
  for (const asked of [store.cancel(id, ''), store.remove(id), store.updateQueue('q', { paused: true })]) {
    await assert.rejects(asked, { reason: 'coordination-unavailable' });
  }
});

test('removal takes everything below the task along, and its key', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, session, names } = parts;
  const kept = await finalTask(parts, 'kept');
  const id = await finalTask(parts, 'key');
  for (const child of ['cancel', 'attempt-1', 'attempt-2', 'by hand'])
    await session.create(`${paths.task(id)}/${child}`);
  assert.equal(await store.remove(id), 'removed');
  assert.deepEqual(await names(paths.tasks), [kept]);
  assert.equal(await session.exists(keyPaths('key').path), null);
  assert.ok(await session.exists(keyPaths('kept').path));
  assert.equal(await store.remove(id), 'no such task');
});

test('what is not final is not removed, whatever else is there', async (t) => {
  const { store, session, names } = await proxiedStore(t, zookeeper);
  const { id } = await store.submit(taskRecord({ idempotencyKey: 'k' }), print);
  assert.equal(await store.remove(id), 'not final');
  await session.create(paths.cancel(id));
  await session.create(paths.attempt(id, 1));
  assert.equal(await store.remove(id), 'not final');
  assert.equal(await store.remove(missing), 'no such task');
  assert.deepEqual(await names(paths.task(id)), ['attempt-1', 'cancel']);
  assert.ok(await session.exists(keyPaths('k').path));
});

test('a task by hand, one that is newer than we are, and one that cannot be read', async (t) => {
  const { store, session, names } = await proxiedStore(t, zookeeper);
  for (const data of ['echo hello', '{"v":2,"what":"next"}', '{"v":1', '']) {
    const id = (await session.create(paths.taskPrefix, data, 'sequential')).slice('/tasks/'.length) as TaskId;
    await finish(session, id);
    assert.equal(await store.remove(id), 'removed');
  }
  assert.deepEqual(await names(paths.tasks), []);
});

test('a key that another task has by now stays', async (t) => {
  const { store, session, names } = await proxiedStore(t, zookeeper);
  const copy = encodeTask(taskRecord({ idempotencyKey: 'k' }));
  const id = (await session.create(paths.taskPrefix, copy, 'sequential')).slice('/tasks/'.length) as TaskId;
  const { id: owner } = await store.submit(taskRecord({ idempotencyKey: 'k' }), print);
  await finish(session, id);
  assert.equal(await store.remove(id), 'removed');
  assert.ok(await session.exists(keyPaths('k').path));
  assert.deepEqual(await names(paths.tasks), [owner]);
});

test('a child appears between the look and the removal: it goes as well', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, session, proxy, names } = parts;
  const id = await finalTask(parts);
  const held = heldBefore(proxy, paths.task(id));
  const removed = store.remove(id);
  await held;
  await session.create(paths.attempt(id, 1), 'late');
  await proxy.heal();
  assert.equal(await removed, 'removed');
  assert.deepEqual(await names(paths.tasks), []);
});

test('the status goes between the look and the removal: it is not final, and nothing is removed', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, session, proxy, names } = parts;
  const id = await finalTask(parts);
  await session.create(paths.cancel(id));
  const held = heldBefore(proxy, paths.task(id));
  const removed = store.remove(id);
  await held;
  await session.remove(paths.status(id));
  await proxy.heal();
  assert.equal(await removed, 'not final');
  assert.deepEqual(await names(paths.task(id)), ['cancel']);
});

test('somebody else removes it between the look and the removal: no such task', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, other, proxy } = parts;
  const id = await finalTask(parts, 'k');
  const held = heldBefore(proxy, paths.task(id));
  const removed = store.remove(id);
  await held;
  assert.equal(await other.remove(id), 'removed');
  await proxy.heal();
  assert.equal(await removed, 'no such task');
});

test('two gateways at the same time: one has removed it', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  for (let round = 0; round < 30; round += 1) {
    const id = await finalTask(parts, `round ${round}`);
    const outcomes = await Promise.all([parts.store.remove(id), parts.other.remove(id)]);
    assert.deepEqual(outcomes.sort(), ['no such task', 'removed']);
  }
  assert.deepEqual(await parts.names(paths.tasks), []);
});

test('the answer or the request is lost: removed', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  for (const lose of ['swallowNextReply', 'dropNextRequest'] as const) {
    const id = await finalTask(parts, lose);
    const lost = parts.proxy[lose](writesTo(paths.task(id)));
    assert.equal(await parts.store.remove(id), 'removed');
    await lost;
    assert.equal(await parts.session.exists(keyPaths(lose).path), null);
  }
  assert.deepEqual(await parts.names(paths.tasks), []);
});

test('what somebody keeps below a child of the task cannot be removed, and says so without end', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const id = await finalTask(parts);
  await parts.session.create(`${paths.status(id)}/mine`);
  await assert.rejects(parts.store.remove(id), { reason: 'coordination-unavailable' });
  assert.deepEqual(await parts.names(paths.task(id)), ['status']);
});

test('through the whole stack: removals race with retention and with leftover assignments, and all is gone', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, master: { MIN_RETENTION_MS: 0 } });
  const session = await stack.session;
  const store = await startStore(t, zookeeper, { chroot: stack.chroot });
  const specs = Array.from({ length: 60 }, (_, i) => {
    return { type: 'echo', retentionMs: i % 2 === 0 ? 0 : 3_600_000, idempotencyKey: `${i}` };
  });
  const tasks = await Promise.all(specs.map((spec) => stack.client.submit(spec)));
  await session.create('/assign/nobody');
  await session.create(`/assign/nobody/${tasks[1]?.id}`);
  const outcomes = await Promise.all(
    tasks.map(({ id }) =>
      eventually(`${id} is final`, async () => {
        const outcome = await store.remove(id as TaskId);
        return outcome !== 'not final' && outcome;
      }),
    ),
  );
  const removed = outcomes.filter((outcome) => outcome === 'removed').length;
  assert.ok(removed >= 30, 'those that are kept for an hour');
  t.diagnostic(`${removed} removed by us, ${60 - removed} by retention`);
  const listed = async (path: string) => (await session.getChildren(path))?.children ?? [];
  assert.deepEqual(await listed('/tasks'), []);
  await eventually('what was left over is gone', async () => (await listed('/assign/nobody')).length === 0);
  const keys = await Promise.all((await listed('/idempotency')).map((bucket) => listed(`/idempotency/${bucket}`)));
  assert.deepEqual(keys.flat(), []);
});
