// Goal: the next attempt comes when the policy, or the handler, says: never before its time, and within 100 ms of it. Method:
// the record of the failed attempt says when the next may start, and the Task when it did.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAttempt } from '../../coordination/znode-records.ts';
import { wholeFile } from '../support/cleanup.ts';
import { percentile, spread } from '../support/many-tasks.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { writeHandlers } from '../support/stack-handlers.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const { client, session: opening } = await startStack(wholeFile, zookeeper, {
  sessionTimeoutMs: calmSessionMs,
  worker: { HANDLERS_DIR: writeHandlers(wholeFile, ['flaky']), WORKER_CONCURRENCY: 32 },
});
const session = await opening;

interface Retry {
  /** From the end of an attempt to the time of the next, as it was recorded. */
  readonly delayMs: number;
  /** From that time to the start of the next attempt. */
  readonly lateMs: number;
}

async function retriesOf({ id, attempts }: Task): Promise<Retry[]> {
  const failed = attempts.slice(0, -1);
  return await Promise.all(
    failed.map(async ({ attempt }, i) => {
      const znode = await session.getData(`/tasks/${id}/attempt-${attempt}`);
      const { finishedAt, retryAt } = decodeAttempt(znode?.data ?? Buffer.alloc(0), attempt, 0);
      const startedAt = Date.parse(attempts[i + 1]?.startedAt ?? '');
      return { delayMs: (retryAt ?? Number.NaN) - finishedAt, lateMs: startedAt - (retryAt ?? Number.NaN) };
    }),
  );
}

/** Ten at a time: more threads of handlers than that make this machine busy, and its clock is what is looked at here. */
const atOnce = 10;

/** Of so many tasks, each of which succeeds in the end: their delays, in order for each, and how late they were. */
async function retries(count: number, spec: object): Promise<{ delays: number[][]; late: number[] }> {
  const tasks: Task[] = [];
  while (tasks.length < count) {
    tasks.push(...(await Promise.all(Array.from({ length: atOnce }, () => client.run({ type: 'flaky', ...spec })))));
  }
  const all = await Promise.all(tasks.map(retriesOf));
  assert.deepEqual([...new Set(tasks.map(({ state }) => state))], ['succeeded']);
  return {
    delays: all.map((each) => each.map(({ delayMs }) => delayMs)),
    late: all.flat().map(({ lateMs }) => lateMs),
  };
}

function assertInTime(late: readonly number[]): void {
  assert.ok(Math.min(...late) >= 0, `never early: ${late}`);
  assert.ok(percentile(late, 0.5) < 100, `${late}`);
  assert.ok(Math.max(...late) < 1500, `${late}`);
}

await retries(atOnce, { payload: { succeedsAt: 1 } }); // all threads have been started

test('a delay that doubles, without jitter', async (t) => {
  const backoff = { type: 'exponential', delayMs: 150, maxDelayMs: 400, jitter: false };
  const { delays, late } = await retries(10, { payload: { succeedsAt: 4 }, maxAttempts: 4, backoff });
  t.diagnostic(`after its time: ${spread(late)}`);
  assert.deepEqual(new Set(delays.map(String)), new Set(['150,300,400']));
  assertInTime(late);
});

test('jitter is between half of the delay and all of it, and not the same for all', async (t) => {
  const backoff = { type: 'fixed', delayMs: 800, jitter: true };
  const { delays, late } = await retries(30, { payload: { succeedsAt: 2 }, backoff });
  const [least, most] = [Math.min(...delays.flat()), Math.max(...delays.flat())];
  t.diagnostic(`${least} to ${most} ms of 800; after its time: ${spread(late)}`);
  assert.ok(least >= 400 && most <= 800);
  assert.ok(most - least > 150, 'thirty at once do not come back at once');
  assertInTime(late);
});

test('the handler says when, whatever the policy says', async (t) => {
  const backoff = { type: 'fixed', delayMs: 3_600_000 };
  const { delays, late } = await retries(10, { payload: { succeedsAt: 3, retryAfterMs: 350 }, backoff });
  t.diagnostic(`after its time: ${spread(late)}`);
  assert.deepEqual(new Set(delays.flat()), new Set([350]));
  assertInTime(late);
});
