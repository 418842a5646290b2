// Goal: a refusal that no repetition mends costs neither a slot nor the clean stop: the task is handed back, or its outcome
// is recorded as far as it can be. Method: people's permissions, numbers and notes in the way of a real worker.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startStack } from '../support/stack.ts';
import { temporaryFolder } from '../support/stack-handlers.ts';
import { runZkCli } from '../support/zkcli.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { assign, createTask, startWorkerByHand, statusOf, untilGone } from './worker-by-hand.ts';

const zookeeper = await startZooKeeper(wholeFile);
const clean = { code: 0, signal: null };

test('a task that it may read but not write to: handed back, and the slot goes to the next', async (t) => {
  const stack = await startStack(t, zookeeper, { gateways: 0, worker: { WORKER_CONCURRENCY: 1 } });
  const [worker] = stack.workers;
  assert.ok(worker);
  await runZkCli(t, stack.connect, ['create -s /tasks/task- "echo hi" world:anyone:r']);
  await worker.process.waitForLog(/cannot be recorded; the task is handed back/);
  const session = await stack.session;
  const next = await createTask(session, 'echo hello');
  assert.equal((await statusOf(session, next)).state, 'succeeded');
  assert.deepEqual(await worker.process.stop(), clean);
});

test('an assignment that cannot be removed: it loses its slot, and is not run again after a reconnect', async (t) => {
  const { session, worker, proxy } = await startWorkerByHand(t, zookeeper);
  const file = join(temporaryFolder(t), 'runs');
  const stuck = await createTask(session, `echo run >> ${file}; exec sleep 0.3`);
  const assignment = await assign(session, stuck);
  await eventually('it runs', () => readFileSync(file, 'utf8'));
  await session.create(`${assignment}/note`);
  await worker.process.waitForLog(/nor can it be handed back/);
  const next = async () => {
    const task = await createTask(session, 'true');
    await assign(session, task);
    return statusOf(session, task);
  };
  assert.equal((await next()).state, 'succeeded');
  proxy.cut();
  assert.equal((await next()).state, 'succeeded');
  assert.equal(readFileSync(file, 'utf8'), 'run\n');
  assert.equal(worker.process.logs.filter(({ msg }) => /nor can it/.test(msg)).length, 1);
  assert.deepEqual(await worker.process.stop(), clean);
});

test('the number of its attempt is taken: the attempt is recorded under the next one that is free', async (t) => {
  const { session } = await startWorkerByHand(t, zookeeper);
  const task = await createTask(session, 'exit 3');
  for (const number of [1, 2, 4]) await session.create(`/tasks/${task}/attempt-${number}`, 'mine');
  const assignment = await assign(session, task, '{"v":1,"attempt":1}');
  await untilGone(session, assignment);
  const recorded = await session.getData(`/tasks/${task}/attempt-3`);
  const { outcome, error } = JSON.parse(recorded?.data.toString() ?? '{}');
  assert.deepEqual([outcome, error.code], ['failed', 'exit_code']);
  assert.equal((await statusOf(session, task)).attempt, 3); // of three
});

test('the last number that there is, is taken: the failing task ends', async (t) => {
  const { session } = await startWorkerByHand(t, zookeeper);
  for (const data of ['', '{"v":1,"attempt":101}']) {
    const task = await createTask(session, 'exit 3');
    for (const number of [100, 101]) await session.create(`/tasks/${task}/attempt-${number}`);
    const assignment = await assign(session, task, data);
    const { state, error } = await statusOf(session, task);
    assert.deepEqual([state, error?.code], ['failed', 'exit_code']);
    await untilGone(session, assignment);
  }
});

test('a task that has its status already: only the assignment goes', async (t) => {
  const { session } = await startWorkerByHand(t, zookeeper);
  const task = await createTask(session, 'exec sleep 0.3');
  const assignment = await assign(session, task);
  await session.create(`/tasks/${task}/status`, 'done');
  await untilGone(session, assignment);
  assert.equal((await session.getData(`/tasks/${task}/status`))?.data.toString(), 'done');
});
