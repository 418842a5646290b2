// Goal: however much is finished when a term begins, assignments come first; the key of a batch goes with the last of its tasks, and never while one may be there; where much is due, it goes in
// portions with a rest between. Method: the real loop over an index that the test fills, and a ledger that removes from it at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskLedger } from '../../../coordination/task-ledger.ts';
import type { TaskId } from '../../../domain/task.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { createLog } from '../../../runtime/log.ts';
import { AssignLoop } from '../../../services/master/assign-loop.ts';
import type { Picture } from '../../../services/master/picture.ts';
import { runRetention } from '../../../services/master/retention-loop.ts';
import { addTask, addWorker, status, taskFact, taskId } from '../domain/facts.ts';

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

test('where there are far more than there may be it does not rest, until there are not', async (t) => {
  const index = new TaskIndex();
  for (let i = 1; i <= 21_000; i += 1) {
    index.setTask(taskId(i), taskFact(i, { retentionMs: 3_600_000 }));
    index.setStatus(taskId(i), status({ finishedAt: Date.now() }));
  }
  const sizes: number[] = [];
  let [removed, size] = [0, 0];
  const endLot = () => {
    sizes.push(size);
    size = 0;
  };
  const remove = async ({ task }: { task: TaskId }) => {
    // Those of one lot are asked for in one turn.
    if (size === 0) setImmediate(endLot);
    size += 1;
    removed += 1;
    index.removeTask(task);
  };
  const over = new AbortController();
  t.after(() => over.abort());
  const ended = keep(index, { remove }, over.signal);
  while (removed < 1800) await new Promise((resolve) => setImmediate(resolve));
  over.abort();
  await ended;
  assert.ok(sizes.includes(300), `${sizes}`);
  assert.deepEqual(sizes.slice(-3), [100, 100, 100]);
});

test('a term begins with assignments, however much is finished; all of that goes then, and what finishes meanwhile, once', async (t) => {
  const index = new TaskIndex();
  const finish = (i: number) => {
    index.setTask(taskId(i), taskFact(i, { retentionMs: 0 }));
    index.setStatus(taskId(i), status({ finishedAt: i }));
  };
  for (let i = 1; i <= 2500; i += 1) finish(i);
  addTask(index, 9000);
  addWorker(index, 'w');
  const linedUp = () => [...index.finished].filter(({ retained }) => retained !== null).length;
  const seen: number[] = [];
  const over = new AbortController();
  t.after(() => over.abort());
  const of = { onChange: () => () => undefined, expectAssignment: () => undefined };
  const picture = { index, synced: true, ...of } as unknown as Picture;
  const assign = async () => void seen.push(linedUp());
  const ledger = { assign } as unknown as TaskLedger;
  const log = createLog('test', 'silent');
  const leading = new AssignLoop({ picture, ledger, log, onAssigned: () => undefined }).run(over.signal);
  const removed: TaskId[] = [];
  const remove = async ({ task }: { task: TaskId }) => {
    removed.push(task);
    index.removeTask(task);
  };
  const kept = keep(index, { remove }, over.signal);
  finish(2501);
  while (linedUp() === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(seen[0], 0);
  assert.ok(linedUp() < 2500, 'some at a time');
  finish(2502);
  while (index.onFinished === null) await new Promise((resolve) => setImmediate(resolve));
  finish(2503);
  while (removed.length < 2503) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(new Set(removed).size, 2503);
  over.abort();
  await Promise.all([leading, kept]);
  assert.equal(removed.length, 2503);
  assert.equal(index.onFinished, null);
});

test('the term ends while it is lined up', async () => {
  const index = new TaskIndex();
  for (let i = 1; i <= 5000; i += 1) {
    index.setTask(taskId(i), taskFact(i, { retentionMs: 0 }));
    index.setStatus(taskId(i), status({ finishedAt: i }));
  }
  const over = new AbortController();
  const ended = keep(index, {}, over.signal); // a ledger that nobody may ask
  await new Promise((resolve) => setImmediate(resolve));
  over.abort();
  await ended;
  assert.equal(index.onFinished, null);
  assert.ok([...index.finished].some(({ retained }) => retained === null));
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
