// Goal: the key of a batch goes with the last of its tasks, and never while one may be there; where much is due, it goes in
// portions with a rest between. Method: the real loop over an index that the test fills, and a ledger that removes from it at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskLedger } from '../../../coordination/task-ledger.ts';
import type { TaskId } from '../../../domain/task.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { createLog } from '../../../runtime/log.ts';
import type { Picture } from '../../../services/master/picture.ts';
import { runRetention } from '../../../services/master/retention-loop.ts';
import { status, taskFact, taskId } from '../domain/facts.ts';

/** The loop over this index, with a ledger of these verbs, until the signal. */
function keep(index: TaskIndex, ledger: object, signal: AbortSignal): Promise<void> {
  return runRetention(
    {
      picture: { index, synced: true } as unknown as Picture,
      ledger: ledger as unknown as TaskLedger,
      ...{ policy: { finishedTasksMax: 10_000, minRetentionMs: 0 }, log: createLog('test', 'silent') },
      ...{ onRemoved: () => undefined, onFenced: () => undefined },
    },
    signal,
  );
}

test('many that are due go a hundred at a time, and what comes after them waits for a rest', async (t) => {
  const index = new TaskIndex();
  for (let i = 1; i <= 250; i += 1) {
    index.setTask(taskId(i), taskFact(i, { retentionMs: 0 }));
    index.setStatus(taskId(i), status({ finishedAt: i }));
  }
  const removed: { task: TaskId; at: number }[] = [];
  const remove = async ({ task }: { task: TaskId }) => {
    removed.push({ task, at: performance.now() });
    index.removeTask(task);
  };
  const over = new AbortController();
  t.after(() => over.abort());
  const ended = keep(index, { remove }, over.signal);
  while (removed.length < 250) await new Promise((resolve) => setImmediate(resolve));
  over.abort();
  await ended;
  assert.deepEqual(
    removed.map(({ task }) => task),
    Array.from({ length: 250 }, (_, i) => taskId(i + 1)),
  );
  for (const place of [100, 200]) {
    assert.ok((removed[place]?.at ?? 0) - (removed[place - 1]?.at ?? 0) >= 15, `a rest before ${place}`);
  }
});

test('the key of a batch goes when all of it is gone, also by others; not while one of it was not read yet', async (t) => {
  const index = new TaskIndex();
  const batch = (i: number, idempotencyKey: string) =>
    taskFact(i, { idempotencyKey, retentionMs: 0, batch: { index: (i - 1) % 2, size: 2 } }, { czxid: 5n });
  for (const i of [1, 2]) index.setTask(taskId(i), batch(i, 'due'));
  for (const i of [3, 4]) index.setTask(taskId(i), batch(i, 'kept'));
  index.setTask(taskId(5), batch(5, 'unread'));
  index.setTask(taskId(6), 'unread');
  for (const i of [1, 2, 5]) index.setStatus(taskId(i), status());
  const removed: (TaskId | string)[] = [];
  const remove = async ({ task }: { task: TaskId }) => {
    removed.push(task);
    index.removeTask(task);
  };
  const removeKey = async (key: string) => removed.push(key);
  const over = new AbortController();
  t.after(() => over.abort());
  const ended = keep(index, { remove, removeKey }, over.signal);
  const until = async (what: string) => {
    while (!removed.includes(what)) await new Promise((resolve) => setImmediate(resolve));
  };
  await until('due');
  assert.deepEqual([...removed].sort(), ['due', taskId(1), taskId(2), taskId(5)].sort());
  index.removeTask(taskId(3)); // by a client
  index.removeTask(taskId(4));
  await until('kept');
  index.setTask(taskId(6), batch(6, 'unread'));
  index.removeTask(taskId(6));
  await until('unread');
  assert.equal(removed.length, 6);
  over.abort();
  await ended;
});
