// Goal: which finished tasks are to go at which time, by examples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetentionQueue } from '../../../domain/retention.ts';
import type { TaskEntry } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addTask, entryOf, status, taskFact, taskId } from './facts.ts';

/** Tasks 1, 2, ... finished at these times, kept for `retentionMs` each. */
function finished(times: readonly number[], retentionMs: number, idempotencyKey: string | null = null) {
  const index = new TaskIndex();
  times.forEach((finishedAt, i) => {
    addTask(index, i + 1, { retentionMs, idempotencyKey });
    const ended = { attempt: 1, worker: 'w', startedAt: 0, finishedAt, result: null, error: null } as const;
    index.setStatus(entryOf(index, i + 1).id, { ...ended, state: 'succeeded' });
  });
  return index;
}

function queueOf(index: TaskIndex, finishedTasksMax: number, minRetentionMs: number): RetentionQueue {
  const queue = new RetentionQueue({ finishedTasksMax, minRetentionMs });
  for (const entry of index.finished) queue.add(entry);
  return queue;
}

function finishedAt(entries: readonly TaskEntry[]): (number | null)[] {
  return entries.map(({ status }) => (status && status !== 'unread' ? status.finishedAt : null));
}

test('each goes when its retention is over, counted from its end, and is given once', () => {
  const index = finished([100, 50, 300], 1000);
  const queue = queueOf(index, 10, 0);
  assert.equal(queue.nextDueAt(index.finished), 1050);
  assert.deepEqual(queue.take(1049, index.finished, 10), []);
  assert.deepEqual(finishedAt(queue.take(1100, index.finished, 10)), [50, 100]);
  assert.deepEqual(queue.take(1100, index.finished, 10), []);
  assert.equal(queue.nextDueAt(index.finished), 1300);
});

test('no more at once than asked for', () => {
  const index = finished([1, 2, 3], 0);
  const queue = queueOf(index, 10, 0);
  assert.deepEqual(finishedAt(queue.take(10, index.finished, 2)), [1, 2]);
  assert.deepEqual(finishedAt(queue.take(10, index.finished, 2)), [3]);
});

test('of too many the oldest go, but none before its minimum, ten times as long with an idempotency key', () => {
  const index = finished([100, 200, 300], 1_000_000);
  const queue = queueOf(index, 1, 50);
  assert.equal(queue.nextDueAt(index.finished), 150);
  assert.deepEqual(queue.take(149, index.finished, 10), []);
  assert.deepEqual(finishedAt(queue.take(1000, index.finished, 10)), [100, 200]);
  const keyed = finished([100], 0, 'key');
  assert.equal(queueOf(keyed, 0, 50).nextDueAt(keyed.finished), 600);
});

test('what is gone by itself is not given, what could not be removed is given again at its time', () => {
  const index = finished([1, 2], 0);
  const queue = queueOf(index, 10, 0);
  index.removeTask(entryOf(index, 1).id);
  const [entry] = queue.take(10, index.finished, 10);
  assert.ok(entry && index.finished.has(entry));
  queue.retry(entry, 500);
  assert.deepEqual(queue.take(499, index.finished, 10), []);
  assert.deepEqual(queue.take(500, index.finished, 10), [entry]);
});

test('a status that was removed by hand makes a task unfinished: it is not given', () => {
  const index = finished([1], 0);
  const queue = queueOf(index, 10, 0);
  index.setStatus(entryOf(index, 1).id, null);
  assert.deepEqual(queue.take(10, index.finished, 10), []);
  assert.equal(index.finished.size, 0);
});

test('kept for its minimum from when the ensemble saw the end, whatever the clock of whoever wrote it says', () => {
  const index = finished([100], 0);
  const entry = entryOf(index, 1);
  index.setStatus(entry.id, entry.status, 5000);
  assert.equal(queueOf(index, 0, 60).nextDueAt(index.finished), 5060);
});

test('what is long gone does not pile up behind what is kept for long', () => {
  const index = finished([1], 1_000_000);
  const queue = queueOf(index, 10, 0);
  let size = 0;
  for (let i = 2; i < 6000; i += 1) {
    const passing = finished([i], 0);
    const entry = entryOf(passing, 1);
    passing.finished.add(entry);
    queue.add(entry);
    size = Math.max(size, queue.size);
    queue.take(i, new Set([...index.finished, entry]), 10);
  }
  assert.ok(size < 5000, `${size} items`);
});

test('the first of a batch that has a key stays until the others are gone, and is told of then', () => {
  const index = new TaskIndex();
  const told: string[] = [];
  index.onFinished = ({ id }) => told.push(id);
  // One transaction made two batches and a task; numbers begin anywhere.
  const fact = (number: number, index: number, size: number, idempotencyKey: string | null) =>
    taskFact(number, { idempotencyKey, batch: { index, size } }, { czxid: 5n });
  for (const number of [12, 10, 11]) index.setTask(taskId(number), fact(number, number - 10, 3, 'k'));
  for (const number of [13, 14]) index.setTask(taskId(number), fact(number, number - 13, 2, 'l'));
  index.setTask(taskId(15), fact(15, 0, 2, null));
  index.setTask(taskId(16), fact(16, 1, 2, null));
  for (let number = 10; number <= 16; number += 1) index.setStatus(taskId(number), status());
  told.length = 0;
  const held = () =>
    [10, 11, 12, 13, 14, 15, 16].filter((number) => {
      const entry = index.tasks.get(taskId(number));
      return entry && index.batches.hold(entry);
    });
  assert.deepEqual(held(), [10, 13]);
  index.removeTask(taskId(11));
  assert.deepEqual([held(), told], [[10, 13], []]);
  index.setTask(taskId(12), fact(12, 2, 3, 'k')); // the same once more
  index.removeTask(taskId(12));
  assert.deepEqual([held(), told], [[13], [taskId(10)]]);
  index.removeTask(taskId(13)); // by a client
  index.removeTask(taskId(14));
  index.removeTask(taskId(10));
  assert.deepEqual([held(), told], [[], [taskId(10)]]);
});

/** Every order of `things`. */
function ordersOf<T>(things: readonly T[]): T[][] {
  if (things.length <= 1) return [[...things]];
  return things.flatMap((first, i) => ordersOf(things.filter((_, j) => j !== i)).map((rest) => [first, ...rest]));
}

for (const size of [2, 3, 5]) {
  test(`the first of ${size} stays held though all of them are read once more, in whatever order`, () => {
    const batch = Array.from({ length: size }, (_, i) => i);
    const fact = (i: number) => taskFact(i, { idempotencyKey: 'k', batch: { index: i, size } }, { czxid: 5n });
    for (const order of ordersOf(batch)) {
      const index = new TaskIndex();
      const told: string[] = [];
      index.onFinished = ({ id }) => told.push(id);
      for (const i of batch) index.setTask(taskId(i), fact(i));
      for (const i of batch) index.setStatus(taskId(i), status());
      told.length = 0;
      assert.ok(index.batches.hold(entryOf(index, 0)));
      for (const i of order) index.setTask(taskId(i), fact(i));
      assert.deepEqual(told, [], `${order}: the others are still there`);
      for (const i of order) if (i !== 0) index.removeTask(taskId(i));
      assert.deepEqual(told, [taskId(0)], `${order}`);
      assert.equal(index.batches.hold(entryOf(index, 0)), false);
    }
  });
}
