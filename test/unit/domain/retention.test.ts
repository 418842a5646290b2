// Goal: which finished tasks are to go at which time, by examples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetentionQueue } from '../../../domain/retention.ts';
import type { TaskEntry } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addTask, entryOf } from './facts.ts';

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

test('what others wait for is neither given nor counted; let go, it is given once, however often it was kept back', () => {
  const index = finished([1, 2, 3], 0);
  const queue = queueOf(index, 0, 0);
  index.onFinished = (entry) => queue.add(entry);
  for (let number = 10; number < 5000; number += 1) {
    addTask(index, number, { after: [entryOf(index, 2).id] });
    assert.equal(index.finished.has(entryOf(index, 2)), false);
    if (number === 10) assert.deepEqual(finishedAt(queue.take(9, index.finished, 10)), [1, 3]);
    if (number === 10) assert.deepEqual([queue.take(9, index.finished, 10), index.finished.size], [[], 2]);
    index.setUnblocked(entryOf(index, number).id, 1);
    if (number % 100 === 0) assert.equal(queue.nextDueAt(index.finished), 2);
  }
  assert.deepEqual(finishedAt(queue.take(9, index.finished, 10)), [2]);
  assert.deepEqual(queue.take(9, index.finished, 10), []);
});

test('a task that is kept back and let go again and again does not pile up', () => {
  const index = finished([1], 1_000_000);
  const queue = queueOf(index, 10, 0);
  const [entry] = index.finished;
  for (let i = 0; i < 6000; i += 1) {
    if (entry) queue.add(entry);
    queue.take(2, index.finished, 10);
  }
  assert.ok(queue.size < 5000, `${queue.size} items`);
});
