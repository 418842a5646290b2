// Goal: of a batch with a key is told once, when the last of it has gone, whatever is read in which order. Method: the index
// with facts as they arrive.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { TaskIndex } from '../../../domain/task-index.ts';
import { taskFact, taskId } from './facts.ts';

let index: TaskIndex;
let told: string[];

beforeEach(() => {
  index = new TaskIndex();
  told = [];
  index.batches.onGone = ({ idempotencyKey, czxid, first, size }) =>
    told.push(`${idempotencyKey} ${czxid} ${first} ${size}`);
});

function set(number: number, place: number, size: number, idempotencyKey: string | null, czxid = 5n): void {
  index.setTask(taskId(number), taskFact(number, { idempotencyKey, batch: { index: place, size } }, { czxid }));
}

test('when the last of it has gone, whichever that is; others of the same transaction are others', () => {
  for (const number of [12, 10, 11]) set(number, number - 10, 3, 'k');
  for (const number of [13, 14]) set(number, number - 13, 2, 'l');
  for (const number of [10, 14, 12]) index.removeTask(taskId(number));
  assert.deepEqual(told, []);
  index.removeTask(taskId(11));
  assert.deepEqual(told, ['k 5 10 3']);
  index.removeTask(taskId(13));
  assert.deepEqual(told, ['k 5 10 3', 'l 5 13 2']);
});

test('to be read once more, or to be another task of the same name, counts for what it is', () => {
  for (const number of [1, 2]) set(number, number - 1, 2, 'k');
  for (const number of [2, 1, 1]) set(number, number - 1, 2, 'k');
  index.removeTask(taskId(1));
  assert.deepEqual(told, []);
  set(2, 1, 2, 'k', 9n); // removed and made anew, seen as one change
  assert.deepEqual(told, ['k 5 1 2']);
  index.removeTask(taskId(2));
  assert.deepEqual(told, ['k 5 1 2', 'k 9 1 2']);
});

test('without a key, or alone, nothing is told', () => {
  for (const number of [1, 2]) set(number, number - 1, 2, null);
  index.setTask(taskId(3), taskFact(3, { idempotencyKey: 'k' }));
  for (const number of [1, 2, 3]) index.removeTask(taskId(number));
  assert.deepEqual(told, []);
});
