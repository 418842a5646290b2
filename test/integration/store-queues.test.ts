// Goal: settings of queues are changed member by member, whoever else changes them at the time and whatever becomes of the
// link; and `maxQueued` refuses what is too much and nothing else. Method: the gateway's store on a real ZooKeeper through a
// fault proxy; the test plays the master, whose counts it writes into `/backlog`, and at the end a whole stack.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paths } from '../../coordination/znode-paths.ts';
import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { defaultQueueSettings, type QueueSettings } from '../../domain/queue-settings.ts';
import type { TaskId, TaskRecord, WorkerId } from '../../domain/task.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { heldBefore, type ProxiedStore, proxiedStore, startStore, writesTo } from './store-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const queueFull = { reason: 'queue-full', retryAfterMs: 1000 };

function settings(members: Partial<QueueSettings>): QueueSettings {
  return { ...defaultQueueSettings, ...members };
}

function dataOf({ session }: ProxiedStore, path: string): Promise<string | undefined> {
  return session.getData(path).then((znode) => znode?.data.toString());
}

test('what is named is changed, the rest is kept, and what is all default has no znode', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, other, names } = parts;
  assert.deepEqual(await store.updateQueue('q', {}), defaultQueueSettings);
  assert.deepEqual(await names(paths.queues), []);
  assert.deepEqual(await store.updateQueue('q', { paused: true, burst: 5 }), settings({ paused: true, burst: 5 }));
  assert.deepEqual(await other.updateQueue('q', { maxQueued: 0 }), settings({ paused: true, burst: 5, maxQueued: 0 }));
  assert.deepEqual(await store.updateQueue('q', { paused: false }), settings({ burst: 5, maxQueued: 0 }));
  assert.deepEqual(await other.readQueue('q'), settings({ burst: 5, maxQueued: 0 }));
  assert.deepEqual(await other.readQueue('nobody set any'), defaultQueueSettings);
  assert.equal(await dataOf(parts, paths.queue('q')), '{"v":1,"burst":5,"maxQueued":0}');
  assert.deepEqual(await other.updateQueue('q', { burst: null, maxQueued: null }), defaultQueueSettings);
  assert.deepEqual(await names(paths.queues), []);
});

test('members that we do not know stay, also where nothing else is set; nonsense is no setting', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, session, names } = parts;
  await session.create(paths.queue('newer'), '{"v":1,"fair":true,"paused":true}');
  await store.updateQueue('newer', { paused: false });
  assert.deepEqual(JSON.parse((await dataOf(parts, paths.queue('newer'))) ?? ''), { v: 1, fair: true });
  await session.create(paths.queue('odd'), '{"paused":"yes","burst":5}');
  assert.deepEqual(await store.updateQueue('odd', { concurrency: 2 }), settings({ concurrency: 2, burst: 5 }));
  await session.create(paths.queue('nothing'), '{}');
  assert.deepEqual(await store.updateQueue('nothing', { burst: null }), defaultQueueSettings);
  assert.deepEqual(await names(paths.queues), ['newer', 'odd']);
});

test('what cannot be read is not taken for the default: only all settings together replace it', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, session, names } = parts;
  for (const [name, data] of Object.entries({
    words: 'closed on Sundays',
    empty: '',
    list: '[5]',
    cut: '{"paused":t',
  })) {
    await session.create(paths.queue(name), data);
    await assert.rejects(store.readQueue(name), { reason: 'queue-unreadable' });
    await assert.rejects(store.updateQueue(name, { concurrency: 2 }), (error: Error) => {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.reason, 'queue-unreadable');
      assert.ok(error.message.includes(paths.queue(name)));
      return true;
    });
    assert.equal((await dataOf(parts, paths.queue(name))) ?? '', data);
    const all = { ...defaultQueueSettings, concurrency: 2 };
    assert.deepEqual(await store.updateQueue(name, all), all);
    assert.deepEqual(await store.updateQueue(name, { concurrency: null }), defaultQueueSettings);
  }
  assert.deepEqual(await names(paths.queues), []);
});

test('somebody changes, makes or removes it between the look and the write: nobody is overwritten', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, other, proxy, names } = parts;
  const during = async (change: Partial<QueueSettings>, meanwhile: () => Promise<unknown>) => {
    const held = heldBefore(proxy, paths.queue('q'));
    const changed = store.updateQueue('q', change);
    await held;
    await meanwhile();
    await proxy.heal();
    return await changed;
  };
  const made = await during({ burst: 5 }, () => other.updateQueue('q', { concurrency: 3 }));
  assert.deepEqual(made, settings({ burst: 5, concurrency: 3 }));
  const merged = await during({ burst: 6 }, () => other.updateQueue('q', { paused: true }));
  assert.deepEqual(merged, settings({ burst: 6, concurrency: 3, paused: true }));
  const lift = { burst: null, concurrency: null, paused: false };
  assert.deepEqual(await during({ maxQueued: 1 }, () => other.updateQueue('q', lift)), settings({ maxQueued: 1 }));
  const kept = await during({ maxQueued: null }, () => other.updateQueue('q', { burst: 9 }));
  assert.deepEqual(kept, settings({ burst: 9 }));
  assert.deepEqual(await during({ burst: null }, () => other.updateQueue('q', { burst: null })), defaultQueueSettings);
  assert.deepEqual(await names(paths.queues), []);
});

test('many at the same time, each another member: all of them are there', async (t) => {
  const { store, other, session } = await proxiedStore(t, zookeeper);
  for (let round = 1; round <= 10; round += 1) {
    const changes: Partial<QueueSettings>[] = [
      { paused: true },
      { concurrency: round },
      { burst: round },
      { maxQueued: round },
    ];
    await Promise.all(changes.map((change, i) => (i % 2 === 0 ? store : other).updateQueue('q', change)));
    const expected = settings({ paused: true, concurrency: round, burst: round, maxQueued: round });
    assert.deepEqual(await store.updateQueue('q', {}), expected);
    await session.remove(paths.queue('q'));
  }
});

test('the answer or the request is lost: set all the same; the session is lost: unknown', async (t) => {
  const { store, other, proxy } = await proxiedStore(t, zookeeper, { sessionTimeoutMs: 2000 });
  for (const [place, lose] of (['swallowNextReply', 'dropNextRequest'] as const).entries()) {
    const lost = proxy[lose](writesTo(paths.queue('q')));
    assert.deepEqual(await store.updateQueue('q', { burst: place + 1 }), settings({ burst: place + 1 }));
    await lost;
    const lifted = proxy[lose](writesTo(paths.queue('q')));
    assert.deepEqual(await store.updateQueue('q', { burst: null }), defaultQueueSettings);
    await lifted;
  }
  const swallowed = proxy.swallowNextReply(writesTo(paths.queue('q')));
  proxy.refuse();
  await assert.rejects(store.updateQueue('q', { paused: true }), { reason: 'outcome-unknown' });
  await swallowed;
  assert.deepEqual(await other.updateQueue('q', {}), settings({ paused: true }));
});

test('queues with settings are bounded; those that have some can still be changed', async (t) => {
  const { store, session } = await proxiedStore(t, zookeeper);
  const create = (i: number) =>
    ({ kind: 'create', path: paths.queue(`q${i}`), data: Buffer.from('{"v":1}'), mode: 'persistent' }) as const;
  await session.commit(Array.from({ length: limits.queuesMax - 1 }, (_, i) => create(i)));
  await store.updateQueue('last', { paused: true });
  await assert.rejects(store.updateQueue('one more', { paused: true }), { reason: 'too-many-queues' });
  assert.deepEqual(await store.updateQueue('one more', { paused: false }), defaultQueueSettings);
  await store.updateQueue('q1', { paused: true });
  await store.updateQueue('last', { paused: false });
  await store.updateQueue('one more', { paused: true });
});

test('the parent was removed by hand; a name that is none in ZooKeeper', async (t) => {
  const { store, session } = await proxiedStore(t, zookeeper);
  await session.remove(paths.queues);
  assert.deepEqual(await store.updateQueue('q', { paused: true }), settings({ paused: true }));
  for (const name of ['.', '..']) {
    await assert.rejects(store.updateQueue(name, { paused: true }), { reason: 'invalid-request' });
    await store.submit(taskRecord({ queue: name }), null);
  }
});

/** The master's count. */
async function counted({ session }: ProxiedStore, waiting: Record<string, number>): Promise<void> {
  const data = Buffer.from(JSON.stringify({ v: 1, unfinished: 0, queues: {}, waiting }));
  if (await session.exists(paths.backlog))
    await session.commit([{ kind: 'set', path: paths.backlog, data, version: null }]);
  else await session.create(paths.backlog, data);
}

/** Resolves once the store refuses a submit to the queue; those that it took meanwhile are removed. */
async function untilRefused({ store, session }: ProxiedStore, queue: string): Promise<void> {
  await eventually(`${queue} is full`, async () => {
    try {
      const { id } = await store.submit(taskRecord({ queue }), null);
      await session.remove(paths.task(id));
      return false;
    } catch (error) {
      assert.equal((error as { reason?: string }).reason, 'queue-full');
      return true;
    }
  });
}

const inQueue = (queue: string, members: Partial<TaskRecord> = {}) => taskRecord({ queue, ...members });

test('maxQueued: full by the count of the master; other queues, and tasks that a key has made already, are not held up', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, names } = parts;
  const keyed = inQueue('small', { idempotencyKey: 'k' });
  const { id } = await store.submit(keyed, 'print');
  await store.updateQueue('small', { maxQueued: 10 });
  await counted(parts, { small: 10 });
  await untilRefused(parts, 'small');
  await assert.rejects(store.submit(inQueue('small'), null), {
    ...queueFull,
    message: /queue small.*10.*|10.*queue small/,
  });
  const again = await store.submit({ ...keyed, submitId: 'again' }, 'print');
  assert.deepEqual([again.id, again.created], [id, false]);
  await assert.rejects(store.submit(inQueue('small', { idempotencyKey: 'new' }), 'print'), queueFull);
  await store.submit(inQueue('other'), null);
  await counted(parts, { small: 3 });
  await eventually('there is room again', () => store.submit(inQueue('small'), null).catch(() => null));
  await store.updateQueue('small', { maxQueued: null });
  await counted(parts, { small: 1000 });
  await eventually('the limit is lifted', () => store.submit(inQueue('small'), null).catch(() => null));
  assert.ok((await names(paths.tasks)).length >= 4);
});

test('what a person wrote into the count of the master holds nobody up', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, session } = parts;
  const nonsense = ['hello', '', '{"unfinished":"many","waiting":[1]}', '{"waiting":{"q3":"1"}}', '[]', 'null'];
  for (const [place, text] of nonsense.entries()) {
    const queue = `q${place}`; // what we submitted to another does not count
    await counted(parts, { [queue]: 2 });
    await store.updateQueue(queue, { maxQueued: 2 });
    await untilRefused(parts, queue);
    await session.commit([{ kind: 'set', path: paths.backlog, data: Buffer.from(text), version: null }]);
    await eventually(`room with ${text}`, () => store.submit(inQueue(queue), null).catch(() => null));
  }
});

test('maxQueued: our own submits count before the master has counted them, but not those that a worker has', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, session } = parts;
  await session.create('/assign/w');
  await store.updateQueue('small', { maxQueued: 3 });
  const started: TaskId[] = [];
  const run = async (id: TaskId) => {
    await session.create(paths.assignment('w' as WorkerId, id));
    started.push(id);
  };
  await eventually('the setting is known: four at once are one too many', async () => {
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => store.submit(inQueue('small'), null)));
    const made = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value.id);
    for (const id of made) await run(id);
    return made.length === 3;
  });
  for (let round = 0; round < 20; round += 1) {
    const submit = () => store.submit(inQueue('small'), null).catch(() => null);
    const { id } = await eventually('a worker has all before', submit, 1500);
    await run(id);
  }
  assert.ok(started.length >= 23);
});

test('maxQueued: a batch is taken whole or not at all, by queue', async (t) => {
  const parts = await proxiedStore(t, zookeeper);
  const { store, names } = parts;
  await store.updateQueue('small', { maxQueued: 10 });
  const batch = (inSmall: number) =>
    Array.from({ length: inSmall + 5 }, (_, index) => {
      const members = { submitId: `batch of ${inSmall}`, batch: { index, size: inSmall + 5 } };
      return index < inSmall ? inQueue('small', members) : inQueue('other', members);
    });
  await eventually('the setting is known', async () => {
    const unlimited = (await names(paths.tasks)).length;
    const isRefused = await store.submitBatch(batch(11), null).then(
      () => false,
      (error: { reason?: string }) => error.reason === 'queue-full',
    );
    return isRefused && (await names(paths.tasks)).length === unlimited;
  });
  const before = (await names(paths.tasks)).length;
  await store.submitBatch(batch(6), null);
  await assert.rejects(store.submitBatch(batch(5), null), queueFull);
  await store.submitBatch(batch(4), null);
  await assert.rejects(store.submitBatch(batch(1), null), queueFull);
  await store.submitBatch(batch(0), null);
  assert.equal((await names(paths.tasks)).length, before + 11 + 9 + 5);
});

test('too many unfinished in all: a batch that would exceed is refused whole', async (t) => {
  const { store, names } = await proxiedStore(t, zookeeper, { unfinishedTasksMax: 10 });
  const batch = (size: number) =>
    Array.from({ length: size }, (_, index) => taskRecord({ submitId: 's', batch: { index, size } }));
  await assert.rejects(store.submitBatch(batch(11), null), queueFull);
  assert.equal((await store.submitBatch(batch(10), null)).ids.length, 10);
  await assert.rejects(store.submit(taskRecord(), null), queueFull);
  assert.equal((await names(paths.tasks)).length, 10);
});

test('too many unfinished in all: what nobody counts is not forgotten, what is counted is not counted twice', async (t) => {
  const proxied = await proxiedStore(t, zookeeper, { unfinishedTasksMax: 10 });
  const { store, session, names } = proxied;
  for (let task = 0; task < 10; task += 1) await store.submit(taskRecord(), null);
  await assert.rejects(store.submit(taskRecord(), null), queueFull);
  const next = Math.max(...(await names(paths.tasks)).map((name) => Number(name.slice('task-'.length)))) + 1;
  const count = async (unfinished: number, counted: number) => {
    const data = Buffer.from(JSON.stringify({ v: 1, unfinished, queues: {}, waiting: {}, next: counted }));
    const isThere = await session.exists(paths.backlog);
    if (isThere) await session.commit([{ kind: 'set', path: paths.backlog, data, version: null }]);
    else await session.create(paths.backlog, data);
  };
  await count(7, next - 3); // three of them it has not seen yet
  await assert.rejects(store.submit(taskRecord(), null), queueFull);
  await count(9, next);
  await eventually('there is room for one', () => store.submit(taskRecord(), null).then(() => true));
  await assert.rejects(store.submit(taskRecord(), null), queueFull);
});

test('through the whole stack: a small queue that is worked off never looks full; one that is not fills up to its limit', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const store = await startStore(t, zookeeper, { chroot: stack.chroot });
  await store.updateQueue('small', { maxQueued: 5 });
  let refused = 0;
  for (let i = 0; i < 100; i += 1) {
    const { id } = await store.submit(inQueue('small'), null);
    await store.changed(id, new AbortController().signal);
  }
  const counts = (waiting: number) =>
    eventually(`the master counts ${waiting}`, async () => {
      const znode = await (await stack.session).getData(paths.backlog);
      return JSON.parse(znode?.data.toString() ?? '').waiting.small === waiting;
    }).then(async () => {
      // By the second answer the store has been told of the count, and has read it.
      await store.findByKey('none', '');
      await store.read('task-0000000000' as TaskId);
    });
  await counts(0);
  const idle = () => store.submit(inQueue('small', { type: 'nobody-has-it' }), null);
  for (let i = 0; i < 40; i += 1) {
    await idle().catch((error: { reason?: string }) => {
      assert.equal(error.reason, 'queue-full');
      refused += 1;
    });
  }
  assert.equal(refused, 35);
  await counts(5);
  for (let i = 0; i < 20; i += 1) await assert.rejects(idle(), queueFull);
});
