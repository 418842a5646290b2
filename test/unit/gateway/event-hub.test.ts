// Goal: everybody who listens is told every event in order, or that some may be missing; one stream from the master serves
// all. Method: the hub over an index in memory whose leader comes and goes.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ServiceError } from '../../../domain/errors.ts';
import { limits } from '../../../domain/limits.ts';
import type { TaskEvent } from '../../../domain/master-index.ts';
import { type EventChange, EventHub } from '../../../gateway/api/event-hub.ts';
import { eventually } from '../../support/eventually.ts';
import { taskId } from '../domain/facts.ts';
import { InMemoryIndex } from './in-memory-index.ts';
import { InMemoryTaskStore } from './in-memory-task-store.ts';

let index: InMemoryIndex;
let hub: EventHub;

beforeEach(() => {
  index = new InMemoryIndex(new InMemoryTaskStore());
  hub = new EventHub(index);
});

function event(number: number): TaskEvent {
  return { id: taskId(number), type: 'echo', queue: 'default', state: 'queued', attempt: 0, worker: null, at: number };
}

function emit(...numbers: number[]): void {
  for (const number of numbers) index.emit(event(number));
}

async function listen(lastEventId: string | null = null, stop = new AbortController()) {
  const iterator = (await hub.subscribe(lastEventId, stop.signal))[Symbol.asyncIterator]();
  return {
    stop,
    next: async (): Promise<EventChange> => {
      const { value, done } = await iterator.next();
      assert.ok(!done, 'the stream has ended');
      return value;
    },
    ended: async () => assert.ok((await iterator.next()).done),
    end: () => iterator.return?.(),
  };
}

function numberOf(change: EventChange): number | 'reset' {
  return change.kind === 'reset' ? 'reset' : change.event.at;
}

async function take(listener: { next(): Promise<EventChange> }, count: number): Promise<(number | 'reset')[]> {
  const numbers: (number | 'reset')[] = [];
  while (numbers.length < count) numbers.push(numberOf(await listener.next()));
  return numbers;
}

describe('the event hub', () => {
  it('tells everybody who listens what happens from then on', async () => {
    emit(1);
    const first = await listen();
    emit(2);
    assert.deepEqual(await take(first, 1), [2]);
    const second = await listen();
    emit(3, 4);
    assert.deepEqual(await take(first, 2), [3, 4]);
    assert.deepEqual(await take(second, 2), [3, 4]);
    assert.equal(index.listeners, 1, 'one stream from the master');
  });

  it('goes on after the last event that a listener has seen, here or by way of the master', async () => {
    emit(1, 2, 3);
    const first = await listen('e-1');
    assert.deepEqual(await take(first, 2), [2, 3]);
    const second = await listen('e-2');
    assert.deepEqual(await take(second, 1), [3]);
    const third = await listen('e-1');
    assert.deepEqual(await take(third, 2), [2, 3], 'the event before the first that is kept');
  });

  it('says where events may be missing', async () => {
    emit(1);
    const stranger = await listen('another-master-1');
    emit(2);
    assert.deepEqual(await take(stranger, 2), ['reset', 2]);
    const late = await listen('e-1');
    emit(3);
    assert.deepEqual(await take(late, 2), ['reset', 3], 'it was before this hub began to listen');
  });

  it('tells a listener that is too slow that it has missed something', async () => {
    const slow = await listen();
    const quick = await listen();
    emit(0);
    await take(quick, 1);
    const all = Array.from({ length: 2 * limits.eventsKept }, (_, i) => i + 1);
    for (const number of all) emit(number);
    assert.deepEqual((await take(quick, all.length)).length, all.length);
    assert.equal(numberOf(await slow.next()), 'reset');
    emit(-1);
    assert.equal(numberOf(await slow.next()), -1);
  });

  it('refuses while no master leads, and goes on with the next one', async () => {
    index.leading = false;
    await assert.rejects(listen(), (error) => error instanceof ServiceError && error.reason === 'no-leader');
    index.leading = true;
    const listener = await listen();
    emit(1);
    assert.deepEqual(await take(listener, 1), [1]);
    index.leading = false;
    index.wakeAll();
    await eventually('the old leader is left', () => index.listeners === 0);
    index.forgetEvents();
    index.leading = true;
    assert.equal(numberOf(await listener.next()), 'reset');
    emit(2);
    assert.deepEqual(await take(listener, 1), [2]);
  });

  it('tells of a gap also where nothing had been heard before it', async () => {
    const listener = await listen();
    const next = listener.next();
    index.leading = false;
    index.wakeAll();
    await eventually('the old leader is left', () => index.listeners === 0);
    await assert.rejects(listen(), { reason: 'no-leader' }, 'nobody can be heard now');
    emit(1);
    index.leading = true;
    assert.equal(numberOf(await next), 'reset');
    emit(2);
    assert.deepEqual(await take(listener, 1), [2]);
  });

  it('keeps nobody waiting for a master that says nothing', async () => {
    index.silent = true;
    const stop = new AbortController();
    const leaving = hub.subscribe(null, stop.signal);
    stop.abort();
    const stream = await leaving;
    assert.ok((await stream[Symbol.asyncIterator]().next()).done);
    const closing = hub.subscribe(null, new AbortController().signal);
    hub.close();
    await assert.rejects(closing, { reason: 'no-leader' });
  });

  it('ends with its listener, and with the hub', async () => {
    const stop = new AbortController();
    const leaving = await listen(null, stop);
    const waiting = leaving.ended();
    stop.abort();
    await waiting;
    const staying = await listen();
    const ended = staying.ended();
    hub.close();
    await ended;
    assert.equal(index.listeners, 0);
  });
});
