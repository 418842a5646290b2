// Goal: a wait ends when its task is final, its time is up, its caller is gone or the process stops; it answers what is
// true then and leaves nothing behind. Method: the API over a store in memory, waiting on the store's own events.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ServiceError } from '../../../domain/errors.ts';
import type { TaskId, WorkerId } from '../../../domain/task.ts';
import { parseSubmit } from '../../../gateway/api/request-parsing.ts';
import { TaskApi } from '../../../gateway/api/task-api.ts';
import { InMemoryIndex } from './in-memory-index.ts';
import { InMemoryTaskStore } from './in-memory-task-store.ts';

const { spec } = parseSubmit({ type: 'echo', payload: 1 }, null, 0);
const unavailable = new ServiceError('coordination-unavailable', 'gone');
const long = 30_000;

let store: InMemoryTaskStore;
let api: TaskApi;

beforeEach(() => {
  store = new InMemoryTaskStore();
  api = new TaskApi(store, new InMemoryIndex(store), 3);
});

function submit(waitMs = 0, signal = new AbortController().signal) {
  return api.submit(spec, { idempotencyKey: null, fingerprint: null, waitMs, signal });
}

function get(id: TaskId, waitMs = 0, signal = new AbortController().signal) {
  return api.get(id, { waitMs, signal });
}

function nothingLeft(): void {
  assert.equal(api.waiting, 0);
  assert.equal(store.watchers, 0);
}

it('a wait that is over before the task is tells that it runs, and where', async () => {
  const { task } = await submit();
  const id = task.id as TaskId;
  const present = store.tasks.get(id);
  assert.ok(present);
  const record = { attempt: 1, startedAt: 7, withdraw: null, progress: null };
  store.put({ ...present, assignment: { worker: 'w' as WorkerId, record } });
  const { state, worker } = await get(id, 20);
  assert.deepEqual([state, worker], ['running', 'w']);
  nothingLeft();
});

describe('a submit', () => {
  it('without a wait answers from the commit alone', async () => {
    const { task, created } = await submit();
    assert.equal(task.state, 'queued');
    assert.equal(created, true);
    assert.equal(store.reads, 0);
  });

  it('with a wait answers the final task', async () => {
    const answer = submit(long);
    await store.untilWatched();
    assert.equal(api.waiting, 1);
    store.finish('task-0000000000' as TaskId, 'succeeded', { ok: true });
    const { task } = await answer;
    assert.deepEqual([task.state, task.result], ['succeeded', { ok: true }]);
    nothingLeft();
  });

  it('whose wait runs out answers the present state', async () => {
    const { task, created } = await submit(20);
    assert.deepEqual([task.state, created], ['queued', true]);
    nothingLeft();
  });

  it('stays acknowledged when the store fails, or loses the task, during the wait', async () => {
    const first = submit(60);
    await store.untilWatched();
    store.failure = unavailable;
    assert.equal((await first).task.state, 'queued');
    store.failure = null;
    const second = submit(long);
    await store.untilWatched();
    store.forget('task-0000000001' as TaskId);
    assert.equal((await second).task.id, 'task-0000000001');
    nothingLeft();
  });

  it('is refused before its commit when too many wait', async () => {
    const waiting = [submit(long), submit(long), submit(long)];
    await store.untilWatched(3);
    await assert.rejects(submit(long), { reason: 'too-many-waits' });
    assert.equal(store.submitted.length, 3);
    assert.equal((await submit()).created, true);
    api.drain();
    await Promise.all(waiting);
    nothingLeft();
  });

  it('with a known key answers the first task as it is now', async () => {
    const keyed = { idempotencyKey: 'k', fingerprint: 'f', waitMs: 0, signal: new AbortController().signal };
    const first = await api.submit(spec, keyed);
    store.finish(first.task.id, 'succeeded', 1);
    const again = await api.submit(spec, { ...keyed, waitMs: long });
    assert.deepEqual([again.created, again.task.id, again.task.state], [false, first.task.id, 'succeeded']);
    store.forget(first.task.id);
    await assert.rejects(api.submit(spec, keyed), { reason: 'coordination-unavailable' });
    nothingLeft();
  });
});

describe('a get', () => {
  it('of no task is task-not-found, also when it goes during the wait', async () => {
    await assert.rejects(get('task-0000000009' as TaskId, long), { reason: 'task-not-found' });
    const { task } = await submit();
    const answer = get(task.id, long);
    await store.untilWatched();
    store.forget(task.id);
    await assert.rejects(answer, { reason: 'task-not-found' });
    nothingLeft();
  });

  it('goes on waiting through changes that end nothing', async () => {
    const { task } = await submit();
    const answer = get(task.id, long);
    await store.untilWatched();
    store.wakeAll();
    await store.untilWatched();
    store.finish(task.id, 'failed', null);
    assert.equal((await answer).state, 'failed');
    nothingLeft();
  });

  it('looks once more when the time is up', async () => {
    const { task } = await submit();
    const before = store.reads;
    assert.equal((await get(task.id, 20)).state, 'queued');
    assert.equal(store.reads, before + 2);
  });

  it('takes a final task even when too many wait', async () => {
    const waiting = [submit(long), submit(long), submit(long)];
    await store.untilWatched(3);
    const { task } = await submit();
    await assert.rejects(get(task.id, long), { reason: 'too-many-waits' });
    store.finish(task.id, 'cancelled', null);
    assert.equal((await get(task.id, long)).state, 'cancelled');
    api.drain();
    await Promise.all(waiting);
  });

  it('outlasts a store that cannot answer for a while, from the first look on', async () => {
    const { task } = await submit();
    store.failure = unavailable;
    const answer = get(task.id, long);
    await store.untilWatched();
    store.failure = null;
    store.finish(task.id, 'succeeded', null);
    assert.equal((await answer).state, 'succeeded');
    nothingLeft();
  });

  it('says that the store cannot answer when it still cannot at the end', async () => {
    const { task } = await submit();
    const answer = get(task.id, 30);
    await store.untilWatched();
    store.failure = unavailable;
    await assert.rejects(answer, { reason: 'coordination-unavailable' });
    await assert.rejects(get(task.id), { reason: 'coordination-unavailable' });
    nothingLeft();
  });

  it('is not kept busy by a store that says "look again" without end', async () => {
    const { task } = await submit();
    store.changed = () => Promise.resolve();
    store.reads = 0;
    await get(task.id, 200);
    assert.ok(store.reads < 10, `${store.reads} reads`);
  });

  it('ends with its caller, without another read', async () => {
    const { task } = await submit();
    const caller = new AbortController();
    const answer = get(task.id, long, caller.signal);
    await store.untilWatched();
    const before = store.reads;
    caller.abort();
    await answer;
    assert.equal(store.reads, before);
    nothingLeft();
  });
});

describe('a drain', () => {
  it('answers all who wait, and those who come later, with the present state', async () => {
    const { task } = await submit();
    const answers = [get(task.id, long), get(task.id, long), submit(long)];
    await store.untilWatched(3);
    api.drain();
    await Promise.all(answers);
    assert.equal((await get(task.id, long)).state, 'queued');
    assert.equal(api.isReady, false);
    nothingLeft();
  });
});
