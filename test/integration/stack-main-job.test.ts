// Goal: the main job over HTTP: submit, wait, get, with every rule of a task. Method: one stack of real processes for all
// tests of the file; where workers matter a test brings types of its own and a worker for them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { createGate, writeHandlers } from '../support/stack-handlers.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, {
  ...{ workers: 2, gateways: 2, sessionTimeoutMs: calmSessionMs },
  worker: { WORKER_CONCURRENCY: 50 },
});
const { client } = stack;
const fixed = { type: 'fixed', delayMs: 100, jitter: false };

function msBetween(from: string | null | undefined, to: string | null | undefined): number {
  return Date.parse(to ?? '') - Date.parse(from ?? '');
}

test('a task is submitted, run and answered', async () => {
  const submitted = await client.submit({ type: 'echo', payload: { hello: ['world', 1, null] } });
  assert.equal(submitted.state, 'queued');
  const done = await client.wait(submitted.id);
  assert.equal(done.state, 'succeeded');
  assert.deepEqual(done.result, { hello: ['world', 1, null] });
  assert.deepEqual(await client.get(submitted.id), done);
  assert.deepEqual(
    done.attempts.map(({ attempt, outcome, worker }) => ({ attempt, outcome, worker })),
    [{ attempt: 1, outcome: 'succeeded', worker: done.worker }],
  );
});

test('a submit can wait for the end itself, and a wait that runs out says what is', async () => {
  const { status, body } = await client.request('POST', '/tasks?wait=10s', { type: 'shell', payload: 'echo hello' });
  assert.deepEqual([status, body.state], [201, 'succeeded']);
  assert.deepEqual(body.result, { exitCode: 0, stdout: 'hello\n', stderr: '' });
  const slow = await client.request('POST', '/tasks?wait=50ms', { type: 'sleep', payload: { ms: 400 } });
  assert.equal(slow.status, 201);
  assert.ok(['queued', 'running'].includes(slow.body.state));
  assert.equal((await client.wait(slow.body.id)).state, 'succeeded');
});

test('a task of a type that no worker has stays queued until one with it registers', async (t) => {
  const gate = createGate(t);
  const waiting = await client.submit({ type: 'gated', payload: { until: gate.path } });
  await client.run({ type: 'echo' }); // submitted later and done: the master has been over both
  assert.equal((await client.get(waiting.id)).state, 'queued');
  await stack.addWorker({ HANDLERS_DIR: writeHandlers(wholeFile, ['gated']), WORKER_CONCURRENCY: 1 });
  await client.untilRunning(waiting.id);
  // The only slot for this type is taken, so what comes now stands in line.
  const priorities = [0, 5, -5, 0, 100, 5];
  const tasks: Task[] = [];
  for (const priority of priorities) tasks.push(await client.submit({ type: 'gated', priority }));
  gate.open();
  const done = await Promise.all(tasks.map(({ id }) => client.wait(id)));
  const order = done
    .map(({ result }, index) => ({ index, token: BigInt((result as { fencingToken: string }).fencingToken) }))
    .sort((a, b) => (a.token < b.token ? -1 : 1));
  assert.deepEqual(
    order.map(({ index }) => index),
    [4, 1, 5, 0, 3, 2],
  );
});

test('what fails is tried again after its backoff, each attempt recorded', async () => {
  await stack.addWorker({ HANDLERS_DIR: writeHandlers(wholeFile, ['flaky']) });
  const done = await client.run({ type: 'flaky', payload: { succeedsAt: 3 }, backoff: fixed });
  assert.deepEqual([done.state, done.result, done.attempt], ['succeeded', { attempt: 3 }, 3]);
  assert.deepEqual(
    done.attempts.map(({ attempt, outcome, error }) => [attempt, outcome, error?.code]),
    [
      [1, 'failed', 'handler_error'],
      [2, 'failed', 'handler_error'],
      [3, 'succeeded', undefined],
    ],
  );
  for (const [before, after] of [done.attempts.slice(0, 2), done.attempts.slice(1, 3)]) {
    assert.ok(msBetween(before?.finishedAt, after?.startedAt) >= fixed.delayMs);
  }
});

test('attempts run out, and a handler may say that another is no use or when it is', async () => {
  const spent = await client.run({ type: 'flaky', payload: { succeedsAt: 9 }, maxAttempts: 2, backoff: fixed });
  assert.deepEqual([spent.state, spent.attempts.length, spent.error?.code], ['failed', 2, 'handler_error']);
  const useless = await client.run({ type: 'flaky', payload: { succeedsAt: 2, retryable: false } });
  assert.deepEqual([useless.state, useless.attempts.length], ['failed', 1]);
  const backoff = { type: 'fixed', delayMs: 3_600_000 };
  const sooner = await client.run({ type: 'flaky', payload: { succeedsAt: 2, retryAfterMs: 1 }, backoff });
  assert.equal(sooner.state, 'succeeded');
  const later = await client.submit({ type: 'flaky', payload: { succeedsAt: 2 }, backoff });
  const scheduled = await client.until(later.id, 'has failed once', ({ attempts }) => attempts.length === 1);
  assert.equal(scheduled.state, 'scheduled');
});

test('an attempt that takes too long is timed out', async () => {
  const late = { payload: { ms: 60_000 }, timeoutMs: 100, maxAttempts: 1 };
  const [slept, shell] = await Promise.all([
    client.run({ type: 'sleep', ...late }),
    client.run({ ...late, type: 'shell', payload: 'sleep 60' }),
  ]);
  for (const task of [slept, shell]) {
    assert.deepEqual([task.state, task.error?.code, task.attempts[0]?.outcome], ['failed', 'timeout', 'timed_out']);
  }
});

test('a delayed task waits for its time', async () => {
  const delayed = await client.submit({ type: 'echo', delayMs: 300 });
  assert.equal(delayed.state, 'scheduled');
  const done = await client.wait(delayed.id);
  // The delay counts from when the request was read, which is a little before it is submitted.
  const delayMs = msBetween(done.submittedAt, done.runAt);
  assert.ok(delayMs > 200 && delayMs <= 300, `${delayMs} ms`);
  assert.ok(msBetween(done.runAt, done.startedAt) >= 0);
});

test('a thousand tasks at once all succeed, and no worker stands idle', async () => {
  const indices = Array.from({ length: 1000 }, (_, index) => index);
  const startedAt = performance.now();
  const done = await Promise.all(
    indices.map((payload) => client.request('POST', '/tasks?wait=60s', { type: 'echo', payload })),
  );
  console.log(`1000 tasks in ${Math.round(performance.now() - startedAt)} ms`);
  for (const [index, { status, body }] of done.entries()) {
    assert.deepEqual([status, body.state, body.result], [201, 'succeeded', index]);
  }
  assert.equal(new Set(done.map(({ body }) => body.id)).size, 1000);
  for (const id of stack.workers.slice(0, 2).map((worker) => worker.id)) {
    const share = done.filter(({ body }) => body.worker === id).length;
    assert.ok(share > 100, `${id} ran ${share} of 1000`);
  }
});

test('an idempotency key makes one task, through any gateway, one after the other or at once', async () => {
  const [one, two] = stack.gateways;
  assert.ok(one && two);
  const submit = (gateway: typeof one, key: string, payload: string) =>
    gateway.client.request('POST', '/tasks', { type: 'echo', payload }, { 'idempotency-key': key });
  const first = await submit(one, 'order-1', 'a');
  const again = await submit(two, 'order-1', 'a');
  assert.deepEqual([first.status, again.status, again.body.id], [201, 200, first.body.id]);
  assert.equal((await submit(two, 'order-1', 'b')).status, 422);
  const atOnce = await Promise.all(Array.from({ length: 20 }, (_, i) => submit(i % 2 ? one : two, 'order-2', 'a')));
  assert.equal(new Set(atOnce.map(({ body }) => body.id)).size, 1);
  assert.deepEqual(atOnce.map(({ status }) => status).sort(), [...Array<number>(19).fill(200), 201]);
});
