// Goal: a task starts within 100 ms of its time and never before it, and tens of thousands that wait for theirs cost the
// master nothing while they do. Method: the same tasks before and after so many others are there, and the time that
// the master's process has spent on a CPU while nothing happens.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { createTasks, manyTasks, metricOf, percentile, roomForMany, spread } from '../support/many-tasks.ts';
import type { ServiceProcess } from '../support/process.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile, roomForMany);
const hourMs = 3_600_000;
const idleMs = 4000;

/** How long after its time each of twenty tasks started, by the record; half say when, the others how long from now. */
async function latenesses({ client }: Stack): Promise<number[]> {
  const delays = Array.from({ length: 20 }, (_, i) => 300 + i * 142);
  const run = async (delayMs: number, index: number) => {
    const time = index % 2 ? { delayMs } : { runAt: new Date(Date.now() + delayMs).toISOString() };
    const { id, runAt } = await client.submit({ type: 'echo', ...time });
    const { startedAt } = await client.wait(id);
    return Date.parse(startedAt ?? '') - Date.parse(runAt ?? '');
  };
  return await Promise.all(delays.map(run));
}

/** Milliseconds of a CPU in each second while nobody asks for anything. */
async function idleCost(process: ServiceProcess): Promise<number> {
  const used = () => metricOf(process, 'process_cpu_seconds_total');
  const [before, startedAt] = [await used(), performance.now()];
  await delay(idleMs); // what is measured is that nothing happens
  return ((await used()) - before) * (1_000_000 / (performance.now() - startedAt));
}

test('tens of thousands that wait for their time', { timeout: 500_000 }, async (t) => {
  const gateway = { MAX_UNFINISHED_TASKS: 10 * manyTasks };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, gateway });
  const { process: master } = await stack.leader();
  await stack.client.run({ type: 'echo' });
  const alone = { late: await latenesses(stack), cost: await idleCost(master) };
  const runAt = Date.now() + hourMs;
  await createTasks(await stack.session, manyTasks, (index) => taskRecord({ runAt: runAt + index }));
  const scheduled = () => metricOf(master, 'taskkeeper_tasks{state="scheduled"}');
  await eventually('the master knows them all', async () => (await scheduled()) === manyTasks, 240_000);
  await idleCost(master); // what reading them all has left to be tidied up
  const among = { late: await latenesses(stack), cost: await idleCost(master) };
  t.diagnostic(`start after its time: ${spread(alone.late)}; among ${manyTasks} scheduled: ${spread(among.late)}`);
  t.diagnostic(`CPU of the idle master: ${alone.cost.toFixed(1)} and ${among.cost.toFixed(1)} ms a second`);
  for (const { late } of [alone, among]) {
    assert.ok(Math.min(...late) >= 0, `never early: ${late}`);
    assert.ok(percentile(late, 0.5) < 100, `${late}`);
    assert.ok(Math.max(...late) < 1500, `${late}`);
  }
  assert.ok(among.cost < 50, `${among.cost} ms a second`);
});
