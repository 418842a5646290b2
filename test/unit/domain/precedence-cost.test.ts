// Goal: what one change costs does not grow with what it does not concern: how long a row of retries is, how many tasks others
// come after. Method: the same changes among few and among many, the quickest of several rounds each, and the two compared
// with room for caches and noise; work that is done twice over and over would be a hundred times as much.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addTask, status, taskId } from './facts.ts';

/** The quickest of several, in ms, each with a thing of its own. */
function quickest<T>(make: () => T, act: (thing: T) => void): number {
  const times = Array.from({ length: 5 }, () => {
    const thing = make();
    const startedAt = performance.now();
    act(thing);
    return performance.now() - startedAt;
  });
  return Math.min(...times);
}

function compare(t: TestContext, few: number, many: number, factor: number): void {
  t.diagnostic(`${few.toFixed(3)} ms among few, ${many.toFixed(3)} ms among many`);
  assert.ok(many < factor * few + 2, `${few} ms and ${many} ms`);
}

/** Tasks with a key each are read while an older one is not, and then that one. */
function readBehindUnread(index: TaskIndex, count: number): void {
  index.setTask(taskId(0), 'unread');
  for (let number = 1; number <= count; number += 1) index.setTask(taskId(number), 'unread');
  for (let number = 1; number <= count; number += 1) addTask(index, number, { exclusiveKey: `${number}` });
  assert.equal(index.ready.places, 0);
  addTask(index, 0);
  assert.equal(index.ready.places, count + 1);
}

test('keyed tasks that are read before an older one cost the same each, however many wait for that', (t) => {
  const time = (count: number) =>
    quickest(
      () => new TaskIndex(),
      (index) => readBehindUnread(index, count),
    ) / count;
  compare(t, 1000 * time(200), 1000 * time(5000), 5);
});

/** Each runs the one before it again, and none succeeded. */
function rowOfRetries(length: number): TaskIndex {
  const index = new TaskIndex();
  for (let number = 0; number < length; number += 1) {
    addTask(index, number, { retryOf: number === 0 ? null : taskId(number - 1) });
    index.setStatus(taskId(number), status({ state: 'failed' }));
  }
  return index;
}

test('tasks at the old end of a row of retries go at the same cost, however long the row is', (t) => {
  const time = (length: number) =>
    quickest(
      () => rowOfRetries(length),
      (index) => {
        for (let number = 0; number < 50; number += 1) index.removeTask(taskId(number));
      },
    );
  compare(t, time(100), time(4000), 5);
});

test('those that wait are told of an end at the same cost, however many they wait for', (t) => {
  const time = (dependencies: number) =>
    quickest(
      () => {
        const index = new TaskIndex();
        const after = Array.from({ length: dependencies }, (_, number) => taskId(number));
        for (let number = 0; number < dependencies; number += 1) addTask(index, number);
        for (let number = 0; number < 1000; number += 1) addTask(index, 1000 + number, { after });
        return index;
      },
      (index) => {
        index.setStatus(taskId(0), 'unread');
        index.setStatus(taskId(0), status());
      },
    );
  compare(t, time(2), time(200), 5);
});
