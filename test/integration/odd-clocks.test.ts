// Goal: a clock that is set, by hours, moves what was agreed on by the clock, and nothing else: no lease is lost, no run ended, no retry
// or timeout late, and whoever looks after the system is told. Method: real processes whose wall clock the test sets while they work.
// (A worker's: stack-deadlines. Ticks: domain/schedule-plan.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, type Process, startStack } from '../support/stack.ts';
import { writeHandlers } from '../support/stack-handlers.ts';
import type { Task } from '../support/task-client.ts';
import { wrongClock } from '../support/wrong-clock.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const hour = 3_600_000;
const zookeeper = await startZooKeeper(wholeFile);
const clocks = { leader: wrongClock(wholeFile), standby: wrongClock(wholeFile), gateway: wrongClock(wholeFile) };
const stack = await startStack(wholeFile, zookeeper, {
  ...{ masters: 0, gateways: 0, sessionTimeoutMs: calmSessionMs },
  worker: { HANDLERS_DIR: writeHandlers(wholeFile, ['flaky']) },
});
const leader = await stack.addMaster(clocks.leader.env);
const { client } = await stack.addGateway(clocks.gateway.env);
await stack.leader();

/** By a clock that is hours ahead what has just ended is over since then, too: it would go at once. */
const kept = { retentionMs: 24 * hour };
const sleeps = { type: 'sleep', payload: { ms: hour }, timeoutMs: 20 * 60_000, ...kept };

/** What is measured by nobody's wall clock: the good path, a wait, a retry, the timeout of an attempt. */
async function worksAsEver(): Promise<void> {
  const startedAt = performance.now();
  const backoff = { type: 'fixed', delayMs: 100, jitter: false };
  const [echoed, again, late] = await Promise.all([
    client.run({ type: 'echo', payload: 'as ever', ...kept }),
    client.run({ type: 'flaky', payload: { succeedsAt: 2 }, backoff, ...kept }),
    client.run({ type: 'sleep', payload: { ms: hour }, timeoutMs: 100, maxAttempts: 1, ...kept }),
  ]);
  assert.deepEqual([echoed.result, again.attempt, late.error?.code], ['as ever', 2, 'timeout']);
  assert.ok(performance.now() - startedAt < 10_000);
}

function timesLogged(process: Process, pattern: RegExp): number {
  return process.process.logs.filter(({ msg }) => pattern.test(msg)).length;
}

async function aheadSeconds({ process }: Process): Promise<number> {
  const admin = process.logs.find(({ msg }) => msg === 'started')?.['admin'];
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  return Number(/^taskkeeper_master_clock_ahead_seconds (\S+)$/m.exec(text)?.[1]);
}

test('the clock of the leader is set two hours forward, then right, then two hours back', async () => {
  const { id } = await client.submit(sleeps);
  const { attempt, startedAt } = await client.untilRunning(id);
  const due = await client.submit({ type: 'echo', delayMs: hour, ...kept });
  const overdue = await client.submit({ type: 'nobody-has-it', deadlineMs: hour, ...kept });
  const notYet = await client.submit({ type: 'echo', delayMs: 3 * hour });

  clocks.leader.set(2 * hour);
  await worksAsEver();
  assert.equal((await client.wait(due.id)).state, 'succeeded');
  assert.equal((await client.wait(overdue.id)).error?.code, 'expired');
  const { aheadMs } = await leader.process.waitForLog(/are apart: set the one that is wrong/);
  assert.ok(Math.abs(Number(aheadMs) - 2 * hour) < 60_000);
  assert.ok(Math.abs((await aheadSeconds(leader)) - 7200) < 60);

  clocks.leader.set(0);
  await worksAsEver();
  await leader.process.waitForLog(/agree again/);
  clocks.leader.set(-2 * hour);
  await worksAsEver();
  clocks.leader.set(0);
  const goesOn = await client.get(id);
  assert.deepEqual([goesOn.state, goesOn.attempt, goesOn.startedAt], ['running', attempt, startedAt]);
  assert.equal((await client.get(notYet.id)).state, 'scheduled');
  await client.request('POST', `/tasks/${id}/cancel`);
  await client.wait(id);
});

test('a standby whose clock is wrong takes over: what it has seen begin goes on', async () => {
  clocks.standby.set(2 * hour);
  const standby = await stack.addMaster(clocks.standby.env);
  const { id } = await client.submit(sleeps);
  await client.untilRunning(id);
  await leader.process.stop();
  await eventually('the standby leads', async () => (await stack.leader()) === standby);
  await worksAsEver();
  assert.deepEqual((await client.get(id)).state, 'running');
  assert.equal((await client.request('POST', `/tasks/${id}/cancel`)).status, 202);
  const { state, attempt } = await client.wait(id);
  assert.deepEqual([state, attempt], ['cancelled', 1]);
  clocks.standby.set(0);
});

test('a gateway whose clock is wrong: waits, lists and streams are as ever; delays and deadlines count from its time', async () => {
  const submit = (spec: object) => client.submit({ type: 'nobody-has-it', ...spec });
  for (const off of [2 * hour, -2 * hour]) {
    clocks.gateway.set(off);
    await worksAsEver();
    const task: Task = await submit({ delayMs: hour, deadlineMs: 1.5 * hour });
    assert.ok(Math.abs(Date.parse(task.submittedAt) - Date.now() - off) < 60_000);
    const state = off > 0 ? 'scheduled' : 'failed';
    await client.until(task.id, `is ${state}`, (its) => its.state === state);
    await eventually('it is listed', async () => {
      const { body } = await client.request('GET', `/tasks?state=${state}`);
      return (body as unknown as { tasks: Task[] }).tasks.some(({ id }) => id === task.id);
    });
  }
});

test('nobody has lost a session, nor registered a second time', () => {
  for (const process of [...stack.masters, ...stack.workers, ...stack.gateways]) {
    assert.equal(timesLogged(process, /session is lost/), 0, process.id);
  }
  assert.deepEqual(
    stack.workers.map((worker) => timesLogged(worker, /^registered$/)),
    [1],
  );
});
