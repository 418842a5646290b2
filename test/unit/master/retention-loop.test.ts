// Goal: the housekeeping forgets nothing that it put off. Method: the real loop over an index that the test fills, a ledger that
// removes from it at once, and a clock that the test moves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskLedger } from '../../../coordination/task-ledger.ts';
import type { TaskId } from '../../../domain/task.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { createLog } from '../../../runtime/log.ts';
import type { Picture } from '../../../services/master/picture.ts';
import { runRetention } from '../../../services/master/retention-loop.ts';
import { addTask, status, taskFact, taskId } from '../domain/facts.ts';

/** Until everything that is under way has come to a timer. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('the first of a batch that was held is asked after, though nobody says that it is alone', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const index = new TaskIndex();
  const options = { idempotencyKey: 'k', retentionMs: 0 };
  const batch = (i: number) => ({ ...options, batch: { index: i, size: 2 } });
  index.setTask(taskId(1), taskFact(1, batch(0), { czxid: 5n }));
  index.setTask(taskId(2), taskFact(2, { ...batch(1), retentionMs: 1_000_000_000 }, { czxid: 5n }));
  addTask(index, 3, { retentionMs: 0 });
  for (const number of [1, 2, 3]) index.setStatus(taskId(number), status());
  const removed: TaskId[] = [];
  const remove = async ({ task }: { task: TaskId }) => {
    removed.push(task);
    index.removeTask(task);
  };
  const over = new AbortController();
  const ended = runRetention(
    {
      ...{ picture: { index, synced: true } as unknown as Picture, ledger: { remove } as unknown as TaskLedger },
      ...{ policy: { finishedTasksMax: 10, minRetentionMs: 0 }, log: createLog('test', 'silent') },
      ...{ onRemoved: () => undefined, onFenced: () => undefined },
    },
    over.signal,
  );
  await settled();
  assert.deepEqual(removed, [taskId(3)]);
  index.onFinished = null; // what is said now is lost
  index.removeTask(taskId(2));
  for (let second = 0; second < 61; second += 1) {
    t.mock.timers.tick(1000);
    await settled();
  }
  assert.deepEqual(removed, [taskId(3), taskId(1)]);
  over.abort();
  t.mock.timers.tick(60_000);
  await ended;
});
