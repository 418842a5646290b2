// Goal: a run gets the read that was asked for when its assignment appeared, or one that is newer, and none that is older.
// Method: a session whose reads are numbered.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../../../coordination/session.ts';
import type { Znode } from '../../../coordination/zookeeper-requests.ts';
import type { TaskId } from '../../../domain/task.ts';
import { TaskReads } from '../../../services/worker/task-reads.ts';

const [one, two] = ['task-0000000001', 'task-0000000002'] as [TaskId, TaskId];

function start({ aheadMax = 2, answer = (asked: number): Promise<number | null> => Promise.resolve(asked) } = {}) {
  const asked: string[] = [];
  const getData = (path: string) => answer(asked.push(path));
  const reads = new TaskReads({ getData } as unknown as Pick<Session, 'getData'>, aheadMax);
  const read = (task: TaskId) => reads.read(task) as unknown as Promise<Znode & number>;
  return { reads, read, asked };
}

test('what was read ahead is given out once', async () => {
  const { reads, read, asked } = start();
  reads.begin(one);
  assert.deepEqual(asked, ['/tasks/task-0000000001']);
  assert.deepEqual([await read(one), await read(one), await read(two)], [1, 2, 3]);
});

test('an assignment that goes, that comes anew, or that the link may have replaced, is read for anew', async () => {
  const { reads, read } = start();
  reads.begin(one);
  reads.forget(one);
  assert.equal(await read(one), 2);
  reads.begin(one);
  reads.begin(one);
  assert.equal(await read(one), 4);
  reads.begin(one);
  reads.forgetAll();
  assert.equal(await read(one), 6);
});

test('no more is read ahead than is run at once', async () => {
  const { reads, read, asked } = start({ aheadMax: 1 });
  reads.begin(one);
  reads.begin(two);
  assert.equal(asked.length, 1);
  assert.deepEqual([await read(one), await read(two)], [1, 2]);
  reads.begin(two);
  assert.equal(asked.length, 3);
});

test('a read ahead that fails is heard of by whoever asks for it, and by nobody else', async () => {
  const { reads, read } = start({ answer: async (asked) => (asked < 3 ? Promise.reject(new Error('no')) : asked) });
  reads.begin(one);
  reads.begin(two);
  await new Promise(setImmediate); // an unhandled rejection would fail this file
  await assert.rejects(read(one), /no/);
  assert.equal(await read(one), 3);
});
