// Goal: what section 3 of the contract says of handlers, seen through the API. Method: one stack whose worker has modules
// of a user, tasks over HTTP. How each handler behaves in detail is tested beside the worker.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { onCleanup, wholeFile } from '../support/cleanup.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { createGate, writeHandlers } from '../support/stack-handlers.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const site = await startSite();
const handlers = writeHandlers(wholeFile, ['gated', 'flaky']);
writeFileSync(join(handlers, 'resulting.js'), 'module.exports = async (payload) => eval(payload);');
const zookeeper = await startZooKeeper(wholeFile);
const worker = { HANDLERS_DIR: handlers, HTTP_HANDLER_HOSTS: site };
const { client } = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: calmSessionMs, worker });
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
