// Goal: what can be done with tasks besides submitting and asking for one: batches, lists, cancel, retry, delete. Method:
// the API over a store and an index in memory; that the real ones do the same is tested through the stack.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { type ErrorReason, ServiceError } from '../../../domain/errors.ts';
import { limits } from '../../../domain/limits.ts';
import type { TaskFilter } from '../../../domain/master-index.ts';
import type { TaskId } from '../../../domain/task.ts';
import { parseBatch, parseSubmit } from '../../../gateway/api/request-parsing.ts';
import { TaskApi } from '../../../gateway/api/task-api.ts';
import { InMemoryIndex } from './in-memory-index.ts';
import { InMemoryTaskStore } from './in-memory-task-store.ts';

const x = { type: 'x' };
const everything: TaskFilter = { state: null, type: null, queue: null, worker: null, schedule: null, labels: [] };

let store: InMemoryTaskStore;
let index: InMemoryIndex;
let api: TaskApi;

beforeEach(() => {
  store = new InMemoryTaskStore();
  index = new InMemoryIndex(store);
  api = new TaskApi(store, index, 3);
});

async function submit(body: object = {}): Promise<TaskId> {
  const { spec } = parseSubmit({ type: 'echo', ...body }, null, Date.now());
  const options = { idempotencyKey: null, fingerprint: null, waitMs: 0, signal: new AbortController().signal };
  return (await api.submit(spec, options)).task.id;
}

function batch(payloads: readonly unknown[], key: string | null = null) {
  const { specs, ...idempotency } = parseBatch(
    { tasks: payloads.map((payload) => ({ type: 'echo', payload })) },
    key,
    0,
  );
  return api.submitBatch(specs, idempotency);
}

function list(filter: Partial<TaskFilter> = {}, limit = 50, cursor: string | null = null) {
  return api.list({ filter: { ...everything, ...filter }, limit, cursor });
}

async function all<T>(items: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function refused(work: Promise<unknown>, reason: ErrorReason): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof ServiceError);
    assert.equal(error.reason, reason);
    return true;
  });
}

describe('a batch', () => {
  it('is answered in its order, from the commit alone', async () => {
    const { tasks, created } = await batch(['a', 'b', 'c']);
    const payloads = (await all(tasks)).map(({ payload }) => payload);
    assert.deepEqual([payloads, created, store.reads], [['a', 'b', 'c'], true, 0]);
    const [first] = store.submitted;
    assert.deepEqual(
      store.submitted.map(({ batch: place }) => place?.index),
      [0, 1, 2],
    );
    assert.ok(
      store.submitted.every(({ submitId }) => submitId === first?.submitId),
      'one submit id',
    );
  });

  it('that is repeated with its key is answered with the tasks that are kept', async () => {
    const first = await batch(['a', 'b', 'c'], 'key');
    const [, second] = await all(first.tasks);
    assert.ok(second);
    store.forget(second.id);
    const again = await batch(['a', 'b', 'c'], 'key');
    const payloads = (await all(again.tasks)).map(({ payload }) => payload);
    assert.deepEqual([payloads, again.created], [['a', 'c'], false]);
    await refused(batch(['a', 'b'], 'key'), 'idempotency-key-reused');
  });

  it('that is repeated is read as it is taken, since its results may be more than there is memory for', async () => {
    const payloads = Array.from({ length: 500 }, (_, n) => n);
    await batch(payloads, 'many');
    const { tasks } = await batch(payloads, 'many');
    let taken = 0;
    for await (const _task of tasks) {
      taken += 1;
      assert.ok(store.reads <= taken + limits.listReadsAtOnce, `${store.reads} were read when ${taken} had been taken`);
    }
    assert.equal(taken, payloads.length);
  });
});

describe('a list', () => {
  it('goes through all tasks, newest first, whatever comes and goes between its pages', async () => {
    const ids: TaskId[] = [];
    for (let i = 0; i < 10; i += 1) ids.push(await submit());
    const first = await list({}, 4);
    assert.deepEqual(
      first.tasks.map(({ id }) => id),
      ids.slice(6).reverse(),
    );
    await submit();
    store.forget(ids[5] as TaskId);
    store.forget(ids[6] as TaskId);
    const second = await list({}, 4, first.nextCursor);
    assert.deepEqual(
      second.tasks.map(({ id }) => id),
      ids.slice(1, 5).reverse(),
    );
    const last = await list({}, 4, second.nextCursor);
    assert.deepEqual([last.tasks.map(({ id }) => id), last.nextCursor], [[ids[0]], null]);
  });

  it('has only what fits, and looks on where the index found too little', async () => {
    index.scanMax = 2;
    const wanted = [await submit({ labels: { a: '1', b: '2' } })];
    for (let i = 0; i < 12; i += 1) await submit({ labels: { a: '1' } });
    const { tasks, nextCursor } = await list({
      labels: [
        ['a', '1'],
        ['b', '2'],
      ],
    });
    assert.deepEqual([tasks.map(({ id }) => id), nextCursor], [wanted, null]);
  });

  it('gives up for this time after so many looks, with a cursor to go on', async () => {
    index.scanMax = 1;
    const [wanted] = [await submit({ queue: 'rare' })];
    for (let i = 0; i < 15; i += 1) await submit();
    const first = await list({ queue: 'rare' });
    assert.deepEqual(first.tasks, []);
    assert.ok(first.nextCursor);
    const second = await list({ queue: 'rare' }, 50, first.nextCursor);
    assert.deepEqual([second.tasks.map(({ id }) => id), second.nextCursor], [[wanted], null]);
  });

  it('leaves out what has changed since the index knew it', async () => {
    const [gone, done, waiting] = [await submit(), await submit(), await submit()];
    const tasks = index.tasks.bind(index);
    index.tasks = async (...args) => {
      const page = await tasks(...args);
      store.forget(gone);
      store.finish(done, 'succeeded', null);
      return page;
    };
    assert.deepEqual(
      (await list({ state: 'queued' })).tasks.map(({ id }) => id),
      [waiting],
    );
  });

  it('is cut where its answer would become too large, and never empty for that', async () => {
    const payload = 'x'.repeat(limits.payloadBytesMax - 2);
    const fitting = Math.floor(limits.listBytesMax / limits.payloadBytesMax) - 1;
    for (let i = 0; i < 12; i += 1) await submit({ payload });
    const seen: TaskId[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof list>> = await list({}, 500, cursor);
      assert.ok(page.tasks.length >= 1 && page.tasks.length <= fitting + 1, String(page.tasks.length));
      seen.push(...page.tasks.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.deepEqual([seen.length, new Set(seen).size], [12, 12]);
  });

  it('takes no cursor but its own', async () => {
    for (const cursor of ['', 'x', 'AAAA', Buffer.from('1-').toString('base64url')])
      await refused(list({}, 1, cursor), 'invalid-request');
  });
});

describe('cancel', () => {
  it('answers the task, and is refused for one that is final or not there', async () => {
    const id = await submit();
    const task = await api.cancel(id, 'no longer needed');
    assert.deepEqual([task.state, task.error], ['cancelled', { code: 'cancelled', message: 'no longer needed' }]);
    await refused(api.cancel(id, ''), 'task-already-final');
    await refused(api.cancel('task-0000000099' as TaskId, ''), 'task-not-found');
  });

  it('that came too late is refused', async () => {
    const id = await submit();
    store.cancel = async () => {
      store.finish(id, 'succeeded', null);
      return true;
    };
    await refused(api.cancel(id, ''), 'task-already-final');
  });

  it('that was recorded is acknowledged, also where the task cannot be read any more', async () => {
    const id = await submit();
    store.cancel = async () => {
      store.failure = new ServiceError('coordination-unavailable', 'Nothing was changed.');
      return true;
    };
    const task = await api.cancel(id, 'no longer needed');
    assert.deepEqual([task.id, task.state], [id, 'queued']);
  });
});

describe('retry', () => {
  it('makes a new task that names the old one, due at once', async () => {
    const id = await submit({ payload: 1, priority: 5, delayMs: 1000, labels: { a: 'b' }, maxAttempts: 7 });
    store.finish(id, 'failed', null);
    const { task, created } = await api.retry(id, null);
    assert.deepEqual([created, task.retryOf, task.state, task.attempt, task.runAt], [true, id, 'queued', 0, null]);
    assert.deepEqual([task.payload, task.priority, task.labels, task.maxAttempts], [1, 5, { a: 'b' }, 7]);
  });

  it('takes over deadline and exclusive key, the deadline counted anew, and comes after nothing', async () => {
    const before = await submit();
    const order = { deadlineMs: 60_000, exclusiveKey: 'account 7', after: [before], afterFailure: 'run' };
    const id = await submit(order);
    store.finish(id, 'failed', null);
    store.forget(before);
    const { task } = await api.retry(id, null);
    assert.equal(task.deadlineAt, task.submittedAt + 60_000);
    assert.deepEqual([task.exclusiveKey, task.after, task.afterFailure], ['account 7', [], 'fail']);
    const { tasks } = await api.submitBatch(parseBatch({ tasks: [x, { ...x, after: [0] }] }, null, 0).specs, {
      ...{ idempotencyKey: null, fingerprint: null },
    });
    const [, member] = await all(tasks);
    assert.ok(member);
    store.finish(member.id, 'cancelled', null);
    assert.deepEqual((await api.retry(member.id, null)).task.after, []);
  });

  it('is for failed and cancelled tasks that can be read', async () => {
    const [waiting, done, unreadable] = [await submit(), await submit(), await submit()];
    store.finish(done, 'succeeded', null);
    store.finish(unreadable, 'failed', null);
    const snapshot = store.tasks.get(unreadable);
    if (snapshot) store.put({ ...snapshot, record: null });
    await refused(api.retry(waiting, null), 'task-not-final');
    await refused(api.retry(done, null), 'task-not-retryable');
    await refused(api.retry(unreadable, null), 'task-not-retryable');
    await refused(api.retry('task-0000000099' as TaskId, null), 'task-not-found');
  });

  it('of a task whose end is not shown everywhere yet is not refused', async () => {
    const id = await submit();
    const running = store.tasks.get(id);
    assert.ok(running);
    store.finish(id, 'failed', null);
    store.shown.set(id, running);
    assert.equal((await api.retry(id, null)).task.retryOf, id);
  });

  it('with a key makes one task, also when the old one is gone by then', async () => {
    const [id, other] = [await submit(), await submit()];
    for (const task of [id, other]) store.finish(task, 'cancelled', null);
    const first = await api.retry(id, 'key');
    store.forget(id);
    const again = await api.retry(id, 'key');
    assert.deepEqual([again.task.id, again.created], [first.task.id, false]);
    await refused(api.retry(other, 'key'), 'idempotency-key-reused');
  });
});

describe('delete', () => {
  it('is for final tasks', async () => {
    const id = await submit();
    await refused(api.remove(id), 'task-not-final');
    store.finish(id, 'failed', null);
    await api.remove(id);
    await refused(api.remove(id), 'task-not-found');
  });
});
