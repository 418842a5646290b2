// Goal: a stream of a task's changes begins with the present, misses nothing, ends with the end, and leaves nothing behind.
// Method: the API over a store in memory that is changed between two reads of the stream, or under it.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { type ErrorReason, ServiceError } from '../../../domain/errors.ts';
import type { AssignmentRecord, TaskId, WorkerId } from '../../../domain/task.ts';
import type { TaskSnapshot } from '../../../domain/task-view.ts';
import { parseSubmit } from '../../../gateway/api/request-parsing.ts';
import { TaskApi } from '../../../gateway/api/task-api.ts';
import type { TaskChange } from '../../../gateway/api/task-stream.ts';
import { attempt, status } from '../domain/facts.ts';
import { InMemoryIndex } from './in-memory-index.ts';
import { InMemoryTaskStore } from './in-memory-task-store.ts';

const id = 'task-0000000000' as TaskId;

let store: InMemoryTaskStore;
let api: TaskApi;

beforeEach(async () => {
  store = new InMemoryTaskStore();
  api = new TaskApi(store, new InMemoryIndex(store), 2);
  await submit({});
});

async function submit(body: object): Promise<void> {
  const { spec } = parseSubmit({ type: 'echo', ...body }, null, Date.now());
  await api.submit(spec, { idempotencyKey: null, fingerprint: null, waitMs: 0, signal: new AbortController().signal });
}

async function open(lastEventId: string | null = null, of = id, stop = new AbortController()) {
  const stream = await api.watchTask(of, { lastEventId, signal: stop.signal });
  const iterator = stream?.[Symbol.asyncIterator]();
  const next = async (): Promise<TaskChange | 'end'> => {
    assert.ok(iterator, 'there is a stream');
    const { value, done } = await iterator.next();
    return done ? 'end' : value;
  };
  return { isEmpty: stream === null, stop, next };
}

function told(change: TaskChange | 'end'): string {
  if (change === 'end' || change.kind === 'reset') return change === 'end' ? 'end' : 'reset';
  return change.task.state;
}

async function take(stream: { next(): Promise<TaskChange | 'end'> }, count: number): Promise<string[]> {
  const states: string[] = [];
  while (states.length < count) states.push(told(await stream.next()));
  return states;
}

function change(options: Partial<TaskSnapshot>): void {
  const present = store.tasks.get(id);
  assert.ok(present);
  store.put({ ...present, ...options });
}

function running(record: Partial<AssignmentRecord> = {}): TaskSnapshot['assignment'] {
  return { worker: 'w' as WorkerId, record: { attempt: 1, startedAt: 5, withdraw: null, progress: null, ...record } };
}

function nothingLeft(): void {
  assert.deepEqual([api.waiting, store.watchers], [0, 0]);
}

describe('a stream of a task', () => {
  it('begins with the present and ends after the end', async () => {
    const stream = await open();
    assert.deepEqual(await take(stream, 1), ['queued']);
    assert.equal(api.waiting, 1);
    const next = stream.next();
    change({ assignment: running() });
    assert.equal(told(await next), 'running');
    store.finish(id, 'succeeded', 42);
    assert.deepEqual(await take(stream, 2), ['succeeded', 'end']);
    nothingLeft();
  });

  it('tells the run that was over before anybody looked', async () => {
    const stream = await open();
    await stream.next();
    store.finish(id, 'succeeded', 42);
    assert.deepEqual(await take(stream, 3), ['running', 'succeeded', 'end']);
  });

  it('tells of progress, and of no change twice', async () => {
    const stream = await open();
    await stream.next();
    change({ assignment: running() });
    assert.deepEqual(await take(stream, 1), ['running']);
    const next = stream.next();
    change({ assignment: running() });
    change({ assignment: running({ progress: { percent: 50, message: 'half' } }) });
    const progressed = await next;
    assert.ok(progressed !== 'end' && progressed.kind === 'task');
    assert.deepEqual([progressed.task.state, progressed.task.progress?.percent], ['running', 50]);
    store.finish(id, 'failed', null);
    assert.deepEqual(await take(stream, 2), ['failed', 'end']);
  });

  it('goes on after what was seen last, in this gateway or another', async () => {
    const stream = await open();
    const first = await stream.next();
    assert.ok(first !== 'end' && first.kind === 'task');
    stream.stop.abort();
    assert.equal(await stream.next(), 'end');
    change({ attempts: [attempt(1, { retryAt: 0 })], status: status({ attempt: 2 }) });
    const resumed = await open(first.eventId);
    assert.deepEqual(await take(resumed, 5), ['running', 'queued', 'running', 'succeeded', 'end']);
  });

  it('says that it cannot go on after what is no step of the task', async () => {
    const stream = await open('7-failed');
    assert.deepEqual(await take(stream, 2), ['reset', 'queued']);
  });

  it('is none for who has seen the end', async () => {
    store.finish(id, 'succeeded', null);
    const stream = await open();
    const last = await stream.next();
    assert.ok(last !== 'end' && last.kind === 'task');
    assert.equal(await stream.next(), 'end');
    assert.ok((await open(last.eventId)).isEmpty);
    nothingLeft();
  });

  it('tells by itself when the time of a delayed task has come', async () => {
    await submit({ delayMs: 60 });
    const stream = await open(null, 'task-0000000001' as TaskId);
    assert.deepEqual(await take(stream, 2), ['scheduled', 'queued']);
  });

  it('tells the present where a run was handed back', async () => {
    const stream = await open();
    await stream.next();
    change({ assignment: running() });
    await stream.next();
    change({ assignment: null });
    assert.deepEqual(await take(stream, 1), ['queued']);
  });

  it('outlasts a store that cannot answer for a while', async () => {
    const stream = await open();
    await stream.next();
    store.failure = new ServiceError('coordination-unavailable', 'gone');
    const next = stream.next();
    const reads = store.reads;
    store.wakeAll();
    while (store.reads === reads) await new Promise((resolve) => setImmediate(resolve));
    store.failure = null;
    store.finish(id, 'succeeded', null);
    assert.equal(told(await next), 'running');
  });

  it('ends with its caller, with the gateway, and with the task', async () => {
    const left = await open();
    await left.next();
    const waiting = left.next();
    left.stop.abort();
    assert.equal(await waiting, 'end');
    nothingLeft();
    const removed = await open();
    await removed.next();
    store.forget(id);
    await refused(removed.next(), 'task-not-found');
    nothingLeft();
  });

  it('that nobody can have is refused', async () => {
    await refused(open(null, 'task-0000000099' as TaskId), 'task-not-found');
    nothingLeft();
    const streams = [await open(), await open()];
    await refused(open(), 'too-many-waits');
    api.drain();
    for (const stream of streams) assert.deepEqual(await take(stream, 2), ['queued', 'end']);
    await refused(open(), 'shutting-down');
    const events = api.watchEvents({ lastEventId: null, signal: new AbortController().signal });
    await refused(events, 'shutting-down');
    nothingLeft();
  });
});

async function refused(work: Promise<unknown>, reason: ErrorReason): Promise<void> {
  await assert.rejects(work, (error) => error instanceof ServiceError && error.reason === reason);
}
