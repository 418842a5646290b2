// Goal: what section 3 of the contract says of handlers, seen through the API. Method: one stack whose worker has modules
// of a user, tasks over HTTP. How each handler behaves in detail is tested beside the worker.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { onCleanup, wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { createGate, writeHandlers } from '../support/stack-handlers.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const site = await startSite();
const handlers = writeHandlers(wholeFile, ['gated', 'flaky']);
writeFileSync(join(handlers, 'resulting.js'), 'module.exports = async (payload) => eval(payload);');
writeFileSync(join(handlers, 'telling.mjs'), 'export default (_, { signal, progress, ...facts }) => facts;');
writeFileSync(
  join(handlers, 'breaking.mjs'),
  `export default () => {
    const cause = new TypeError('the socket broke');
    throw Object.assign(new Error('no', { cause }), { retryAfterMs: 'soon' });
  };`,
);
const zookeeper = await startZooKeeper(wholeFile);
const worker = { HANDLERS_DIR: handlers, HTTP_HANDLER_HOSTS: site };
const stack = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: calmSessionMs, worker });
const { client } = stack;
const once = { maxAttempts: 1 };

/** Answers with what it was asked; `/moved` leads to a host that is not allowed. */
async function startSite(): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/moved') response.writeHead(302, { location: 'http://localhost:1/' });
      if (request.url === '/broken') response.writeHead(500);
      response.end(`${request.method} ${request.headers['x-mine']} ${Buffer.concat(chunks)}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onCleanup(wholeFile, () => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a handler is told of its run, its progress is seen while it runs, and each run has a higher token', async (t) => {
  const gate = createGate(t);
  const { id } = await client.submit({ type: 'gated', payload: { until: gate.path } });
  const running = await client.until(id, 'has progress', ({ progress }) => progress !== null);
  assert.deepEqual([running.state, running.progress], ['running', { percent: 50, message: 'waiting' }]);
  gate.open();
  const first = (await client.wait(id)).result as { taskId: string; attempt: number; fencingToken: string };
  assert.deepEqual([first.taskId, first.attempt], [id, 1]);
  assert.match(first.fencingToken, /^[1-9]\d*$/);
  const second = (await client.run({ type: 'gated' })).result as typeof first;
  assert.ok(BigInt(second.fencingToken) > BigInt(first.fencingToken));
});

test('a handler is told what its task is about', async () => {
  const labels = { customer: '42' };
  const spec = { type: 'telling', queue: 'mail', labels, maxAttempts: 7, deadlineMs: 60_000 };
  const { id, deadlineAt, result } = await client.run(spec);
  const { fencingToken, ...told } = result as Record<string, unknown>;
  assert.ok(fencingToken);
  const none = { schedule: null, retryOf: null };
  assert.deepEqual(told, { taskId: id, attempt: 1, maxAttempts: 7, queue: 'mail', labels, deadlineAt, ...none });
  const definition = { everyMs: 1000, task: { type: 'telling' }, overlap: 'allow' };
  assert.equal((await client.request('PUT', '/schedules/s', definition)).status, 201);
  const byHand = await client.request('POST', '/schedules/s/run');
  const { schedule, deadlineAt: noDeadline } = (await client.wait(byHand.body.id)).result as Record<string, unknown>;
  assert.deepEqual([schedule, noDeadline], [{ name: 's', at: null }, null]);
  const ticked = await eventually('a tick has made one', async () => {
    const { tasks } = (await client.request('GET', '/tasks?schedule=s')).body as unknown as { tasks: Scheduled[] };
    return tasks.find((task) => task.schedule?.at);
  });
  const done = await client.wait(ticked.id);
  assert.deepEqual((done.result as Record<string, unknown>)['schedule'], ticked.schedule);
  assert.equal((await client.request('DELETE', '/schedules/s')).status, 204);
});

interface Scheduled extends Task {
  readonly schedule: { readonly name: string; readonly at: string | null } | null;
}

test('a failed attempt is in the log of its worker with stack and cause, and neither is in the tree', async () => {
  const { id } = await client.run({ type: 'breaking', ...once });
  const [worker] = stack.workers;
  assert.ok(worker);
  const line = await worker.process.waitForLog(({ task, msg }) => task === id && msg === 'an attempt failed');
  const { level, type, attempt, outcome, code, ignored, err } = line;
  assert.deepEqual(
    { level, type, attempt, outcome, code, ignored },
    {
      ...{ level: 40, type: 'breaking', attempt: 1, outcome: 'failed', code: 'handler_error' },
      ignored: ["retryAfterMs is 'soon', which is no number of milliseconds from 0 on"],
    },
  );
  const { message, stack: trace } = err as { message: string; stack: string };
  assert.equal(message, 'no');
  assert.match(trace, /^Error: no\n +at .*breaking\.mjs:3:/);
  assert.match(trace, /\ncaused by: TypeError: the socket broke\n +at .*breaking\.mjs:2:/);
  const session = await stack.session;
  for (const name of ['status', 'attempt-1']) {
    const { error } = JSON.parse((await session.getData(`/tasks/${id}/${name}`))?.data.toString() ?? '');
    assert.deepEqual(error, { code: 'handler_error', message: 'no' });
  }
  const slow = await client.run({ type: 'sleep', payload: { ms: 60_000 }, timeoutMs: 20, ...once });
  const late = await worker.process.waitForLog(({ task }) => task === slow.id);
  assert.deepEqual([late['outcome'], late['code'], late['attempt']], ['timed_out', 'timeout', 1]);
});

test('what a handler throws fails the attempt; it may say that another is no use, or when it is', async () => {
  const useless = await client.run({ type: 'flaky', payload: { succeedsAt: 2, retryable: false } });
  assert.deepEqual([useless.state, useless.attempts.length, useless.error?.code], ['failed', 1, 'handler_error']);
  const backoff = { type: 'fixed', delayMs: 3_600_000 };
  const sooner = await client.run({ type: 'flaky', payload: { succeedsAt: 2, retryAfterMs: 1 }, backoff });
  assert.deepEqual([sooner.state, sooner.attempt], ['succeeded', 2]);
});

test('a result that is not JSON or is too large fails the attempt with a clear code', async () => {
  for (const payload of ['10n', '(() => 1)', '"x".repeat(256 * 1024)']) {
    const { state, error } = await client.run({ type: 'resulting', payload, ...once });
    assert.deepEqual([state, error?.code], ['failed', 'invalid_result'], payload);
  }
  const fits = await client.run({ type: 'resulting', payload: '"x".repeat(256 * 1024 - 2)', ...once });
  assert.equal(fits.state, 'succeeded');
  assert.equal((await client.run({ type: 'resulting', payload: 'undefined' })).result, null);
});

test('echo returns its payload, sleep takes its time', async () => {
  assert.deepEqual((await client.run({ type: 'echo', payload: [1, { a: null }] })).result, [1, { a: null }]);
  const slept = await client.run({ type: 'sleep', payload: { ms: 120 } });
  assert.ok(Date.parse(slept.finishedAt ?? '') - Date.parse(slept.startedAt ?? '') >= 120);
});

test('http calls allowed hosts only, and 500 or no answer is a failed attempt', async () => {
  const payload = { url: `http://${site}/`, method: 'POST', headers: { 'x-mine': 'yes' }, body: 'hello' };
  const called = await client.run({ type: 'http', payload });
  const { status, headers, body } = called.result as { status: number; headers: object; body: string };
  assert.deepEqual([status, typeof headers, body], [200, 'object', 'POST yes hello']);
  const refused = 'invalid_task';
  const cases = { [`${site}/broken`]: 'handler_error', [`${site}/moved`]: refused, 'localhost:1/': refused };
  for (const [address, code] of Object.entries(cases)) {
    const { state, error } = await client.run({ type: 'http', payload: { url: `http://${address}` }, ...once });
    assert.deepEqual([state, error?.code], ['failed', code], address);
  }
});

test('shell takes a string or an object, cuts what is too long, and keeps the settings of its worker to itself', async () => {
  const ok = { exitCode: 0, stdout: 'hello\n', stderr: '' };
  assert.deepEqual((await client.run({ type: 'shell', payload: 'echo hello' })).result, ok);
  assert.deepEqual((await client.run({ type: 'shell', payload: { command: 'echo hello' } })).result, ok);
  const long = await client.run({ type: 'shell', payload: "head -c 70000 /dev/zero | tr '\\0' x" });
  const { stdout, stdoutTruncated } = long.result as { stdout: string; stdoutTruncated: boolean };
  assert.deepEqual([stdout.length, stdoutTruncated], [64 * 1024, true]);
  const { id, result } = await client.run({ type: 'shell', payload: 'env' });
  const env = (result as { stdout: string }).stdout;
  assert.match(env, new RegExp(`^TASKKEEPER_TASK_ID=${id}$`, 'm'));
  assert.match(env, /^TASKKEEPER_ATTEMPT=1$/m);
  assert.match(env, /^TASKKEEPER_FENCING_TOKEN=\d+$/m);
  assert.doesNotMatch(env, /ZOOKEEPER|HANDLERS_DIR|WORKER_ID/);
  const [code, signal] = [
    await client.run({ type: 'shell', payload: 'exit 3', ...once }),
    await client.run({ type: 'shell', payload: 'kill -9 $$', ...once }),
  ];
  assert.deepEqual([code.error?.code, signal.error?.code], ['exit_code', 'signal']);
});
