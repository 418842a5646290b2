// Goal: a cancel is quick, final and never forgotten: a handler sees its signal within 100 ms, a cancel and an outcome of the
// same moment leave one of the two, and one that is asked while no master leads is done by the next. Method: HTTP, and the
// tree as the judge of what became of a task.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { percentile, spread } from '../support/many-tasks.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { temporaryFolder, writeHandlers } from '../support/stack-handlers.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, {
  sessionTimeoutMs: calmSessionMs,
  worker: { HANDLERS_DIR: writeHandlers(wholeFile, ['witness']), WORKER_CONCURRENCY: 32 },
});
const { client } = stack;
const session = await stack.session;

async function cancel(id: string, reason = ''): Promise<number> {
  return (await client.request('POST', `/tasks/${id}/cancel`, { reason })).status;
}

test('a handler sees its signal within 100 ms of the answer to the cancel', async (t) => {
  const folder = temporaryFolder(t);
  const told = (name: string) =>
    eventually(`${name} is written`, () => Number(readFileSync(join(folder, name), 'utf8')) || null);
  const latenesses: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    const { id } = await client.submit({ type: 'witness', payload: { folder } });
    await told(`${id}-began`);
    assert.equal(await cancel(id), 202);
    const answeredAt = Date.now();
    latenesses.push((await told(`${id}-aborted`)) - answeredAt);
    assert.equal((await client.wait(id)).state, 'cancelled');
  }
  t.diagnostic(`from the answer to the signal: ${spread(latenesses)}`);
  assert.ok(percentile(latenesses, 0.5) < 100, `${latenesses}`);
  assert.ok(Math.max(...latenesses) < 2000, `${latenesses}`);
});

test('an outcome and a cancel of the same moment: one of the two, and all that is told agrees with it', async (t) => {
  const ms = 60;
  // In waves, so that neither the worker nor the connections of the test decide how close the two come.
  const raced: { task: Task; answer: number }[] = [];
  for (let wave = 0; wave < 6; wave += 1) {
    const race = async (_: unknown, i: number) => {
      const { id } = await client.submit({ type: 'sleep', payload: { ms } });
      // Some well before the outcome and some well after it, most of them about its time.
      await delay(i < 3 ? 0 : i < 27 ? ms - 15 + 2 * i : 4 * ms);
      const answer = await cancel(id, 'raced');
      return { task: await client.wait(id), answer };
    };
    raced.push(...(await Promise.all(Array.from({ length: 30 }, race))));
  }
  const count = (state: string) => raced.filter(({ task }) => task.state === state).length;
  const dropped = raced.filter(({ task, answer }) => task.state === 'succeeded' && answer === 202).length;
  t.diagnostic(
    `${count('succeeded')} succeeded (${dropped} of them after a 202), ${count('cancelled')} were cancelled`,
  );
  assert.ok(count('succeeded') > 0 && count('cancelled') > 0);
  assert.equal(count('succeeded') + count('cancelled'), raced.length);
  for (const { task, answer } of raced) await assertOneOutcome(task, answer);
  assert.deepEqual((await session.getChildren('/assign/ours1'))?.children, []);
  const warned = stack.workers.flatMap(({ process }) => process.logs.filter(({ msg }) => /trying again/.test(msg)));
  assert.deepEqual(warned, [], 'that a cancel comes first is nothing to warn of');
});

async function assertOneOutcome(task: Task, answer: number): Promise<void> {
  const { id, state, error, attempts } = task;
  const outcomes = attempts.map(({ outcome }) => outcome);
  if (state === 'succeeded') assert.deepEqual([error, outcomes], [null, ['succeeded']]);
  else assert.deepEqual([error, outcomes, answer], [{ code: 'cancelled', message: 'raced' }, [], 202]);
  const status = await session.exists(`/tasks/${id}/status`);
  const { cversion = 0, numChildren = 0 } = (await session.exists(`/tasks/${id}`)) ?? {};
  assert.equal(status?.version, 0);
  assert.equal((cversion + numChildren) / 2, numChildren, 'nothing was ever created twice below it');
  assert.deepEqual(await client.get(id), task);
}

test('asked while no master leads, it is done by the next one', async (t) => {
  const folder = temporaryFolder(t);
  const specs = [
    { type: 'echo', delayMs: 3_600_000 },
    { type: 'nobody-has-it' },
    { type: 'witness', payload: { folder } },
  ];
  const tasks = await Promise.all(specs.map((spec) => client.submit(spec)));
  const ids = tasks.map(({ id }) => id);
  await client.untilRunning(ids[2] ?? '');
  const states = ['scheduled', 'queued', 'running'];
  for (const { process } of stack.masters) process.kill('SIGKILL');
  await eventually('nobody leads', async () => (await session.exists('/master')) === null);
  for (const id of ids) assert.equal(await cancel(id, `not ${id}`), 202);
  assert.deepEqual(await Promise.all(ids.map(async (id) => (await client.get(id)).state)), states);
  await stack.addMaster();
  for (const id of ids) {
    const { state, error } = await client.wait(id);
    assert.deepEqual([state, error], ['cancelled', { code: 'cancelled', message: `not ${id}` }]);
  }
});
