// Goal: however many tasks are let go at once, what is assigned meanwhile does not stand behind all of them; a term
// ends when nothing is under way. Method: the real loop over an index that the test fills, and a ledger that notes what it is
// asked to commit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskLedger } from '../../../coordination/task-ledger.ts';
import type { WorkerId } from '../../../domain/task.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { createLog } from '../../../runtime/log.ts';
import { AssignLoop } from '../../../services/master/assign-loop.ts';
import type { Picture } from '../../../services/master/picture.ts';
import { eventually } from '../../support/eventually.ts';
import { addTask, addWorker, status, taskId } from '../domain/facts.ts';

test('of many tasks that may go at once so many are under way, and an assignment goes beside them', async () => {
  const index = new TaskIndex();
  addTask(index, 0);
  for (let number = 1; number <= 5000; number += 1) addTask(index, number, { after: [taskId(0)] });
  index.setStatus(taskId(0), status());
  addTask(index, 6000);
  addWorker(index, 'w');
  const asked: { kind: string; done: () => void }[] = [];
  const ask = (kind: string) => new Promise<void>((done) => asked.push({ kind, done }));
  const ledger = { assign: () => ask('assign'), settle: ({ kind }: { kind: string }) => ask(kind) };
  const over = new AbortController();
  const ended = new AssignLoop({
    picture: {
      index,
      synced: true,
      onChange: () => () => undefined,
      expectAssignment: () => undefined,
    } as unknown as Picture,
    ledger: ledger as unknown as TaskLedger,
    log: createLog('test', 'silent'),
    onAssigned: () => undefined,
  }).run(over.signal);
  await eventually('the assignment', () => asked.some(({ kind }) => kind === 'assign'));
  assert.equal(asked.length, 1001);
  asked[0]?.done();
  await eventually('the next one', () => asked.length === 1002);
  over.abort();
  for (const { done } of asked) done();
  assert.equal(await ended, 'stopped');
});

test('a worker that goes twice has two removals of its folder under way, and the term ends after both', async () => {
  const index = new TaskIndex();
  const asked: (() => void)[] = [];
  const over = new AbortController();
  let look: () => void = () => undefined;
  const onChange = (listener: () => void) => {
    look = listener;
    return () => undefined;
  };
  let hasEnded = false;
  const ended = new AssignLoop({
    picture: { index, synced: true, onChange } as unknown as Picture,
    ledger: { removeFolder: () => new Promise<void>((done) => asked.push(done)) } as unknown as TaskLedger,
    log: createLog('test', 'silent'),
    onAssigned: () => undefined,
  })
    .run(over.signal)
    .finally(() => {
      hasEnded = true;
    });
  for (let count = 0; count < 2; count += 1) {
    index.abandoned.add('w' as WorkerId);
    look();
  }
  over.abort();
  asked[0]?.();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual([asked.length, hasEnded], [2, false]);
  asked[1]?.();
  assert.equal(await ended, 'stopped');
});
