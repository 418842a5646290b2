// Goal: of equal submits with one key at the same time one is made and all are answered by it; nothing is shared with others,
// or kept once it is over. Method: submits that the test ends.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { TaskId } from '../../../domain/task.ts';
import type { SubmittedBatch } from '../../../gateway/api/task-store.ts';
import { SharedSubmits } from '../../../gateway/store/shared-submits.ts';

const made: SubmittedBatch = { ids: ['task-0000000001' as TaskId], createdAt: 1, created: true };

let shared: SharedSubmits;
/** Of those that were begun, in order. */
let begun: { resolve(submitted: SubmittedBatch): void; reject(error: Error): void }[];

beforeEach(() => {
  shared = new SharedSubmits();
  begun = [];
});

function submit(key: string, print = 'print'): Promise<SubmittedBatch> {
  return shared.share(key, print, () => new Promise((resolve, reject) => begun.push({ resolve, reject })));
}

test('one is made, and the others get it', async () => {
  const answers = [submit('a'), submit('a'), submit('b'), submit('a')];
  assert.equal(begun.length, 2);
  begun[0]?.resolve(made);
  begun[1]?.resolve(made);
  assert.deepEqual(
    (await Promise.all(answers)).map(({ created }) => created),
    [true, false, true, false],
  );
  void submit('a');
  assert.equal(begun.length, 3, 'a later one looks for itself');
});

test('its failure is that of all, and the next one tries anew', async () => {
  const answers = [submit('a'), submit('a')];
  begun[0]?.reject(new Error('away'));
  for (const answer of answers) await assert.rejects(answer, { message: 'away' });
  void submit('a');
  assert.equal(begun.length, 2);
});

test('another request with the key comes after it, and those that are equal to that one share it', async () => {
  const first = submit('a');
  const others = [submit('a', 'other'), submit('a', 'other')];
  assert.equal(begun.length, 1);
  begun[0]?.resolve(made);
  await first;
  while (begun.length < 2) await new Promise((resolve) => setImmediate(resolve));
  begun[1]?.reject(new Error('another request'));
  for (const other of others) await assert.rejects(other, { message: 'another request' });
  assert.equal(begun.length, 2);
});
