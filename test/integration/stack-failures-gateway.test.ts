// Goal: a gateway that loses ZooKeeper says yes, no or unknown, and each is true; and it comes back by itself. Method: the
// gateway behind a fault proxy that cuts, silences and swallows while submits run; the record is judged.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { calmSessionMs, type Gateway, type Stack, stackSessionMs, startStack } from '../support/stack.ts';
import { judge, Load } from '../support/stack-load.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

/** Where no session is meant to be lost, none is on a busy machine either. */
async function proxiedStack(
  t: TestContext,
  sessionTimeoutMs = calmSessionMs,
): Promise<{ stack: Stack; gateway: Gateway; proxy: FaultProxy }> {
  const stack = await startStack(t, zookeeper, { gateways: 0, sessionTimeoutMs });
  const gateway = await stack.addGateway({}, true);
  assert.ok(gateway.proxy);
  return { stack, gateway, proxy: gateway.proxy };
}

function sessionsOf({ process }: Gateway): number {
  return new Set(process.logs.flatMap((line) => (line.msg === 'connected to ZooKeeper' ? [line['session']] : []))).size;
}

/** A transaction that creates a task. */
const createsTask = (opcode: number, request: Buffer) => opcode === opcodes.multi && request.includes('/tasks/task-');

test('its connection is cut again and again while submits run', async (t) => {
  const { stack, gateway, proxy } = await proxiedStack(t);
  const load = new Load(t, [gateway.client]);
  for (let cuts = 0; cuts < 8; cuts++) {
    await load.more(15);
    proxy.cut();
  }
  await load.more(15);
  await load.stop();
  assert.equal(sessionsOf(gateway), 1);
  t.diagnostic(await judge(await stack.session, load));
});

test('its connection is silent for a while, and for longer than its session, while submits run', async (t) => {
  const { stack, gateway, proxy } = await proxiedStack(t, stackSessionMs);
  const load = new Load(t, [gateway.client]);
  await load.more(15);
  proxy.silence('toClient'); // what it sends is applied, and it does not hear of it
  await gateway.process.waitForLog(/trying another server/);
  await proxy.heal();
  await load.more(15);
  proxy.silence();
  await gateway.process.waitForLog(/session is lost/);
  assert.equal((await gateway.client.request('GET', '/readyz')).status, 503);
  const refused = await gateway.client.request('POST', '/tasks', { type: 'echo' });
  assert.deepEqual([refused.status, refused.headers.has('retry-after')], [503, true]);
  await proxy.heal();
  await gateway.client.ready();
  assert.equal(sessionsOf(gateway), 2);
  await load.more(15);
  await load.stop();
  t.diagnostic(await judge(await stack.session, load));
});

test('a submit whose answer was lost is found again and acknowledged, with and without a key', async (t) => {
  const { stack, gateway, proxy } = await proxiedStack(t);
  for (const headers of [{}, { 'idempotency-key': 'once' }]) {
    const swallowed = proxy.swallowNextReply(createsTask);
    const { id } = await gateway.client.submit({ type: 'echo' }, headers);
    assert.equal((await swallowed).error, 0);
    assert.equal((await gateway.client.wait(id)).state, 'succeeded');
  }
  const tasks = await (await stack.session).getChildren('/tasks');
  assert.equal(tasks?.children.length, 2);
});

test('a submit that never arrived is made over the next link, with and without a key', async (t) => {
  const { stack, gateway, proxy } = await proxiedStack(t);
  for (const headers of [{}, { 'idempotency-key': 'once' }]) {
    const dropped = proxy.dropNextRequest(createsTask);
    await gateway.client.submit({ type: 'echo' }, headers);
    await dropped;
  }
  assert.equal((await (await stack.session).getChildren('/tasks'))?.children.length, 2);
});

test('a long-poll is held over a cut and over a lost session, and answered', async (t) => {
  const { gateway, proxy, stack } = await proxiedStack(t, stackSessionMs);
  const { id } = await gateway.client.submit({ type: 'nobody-has-it' });
  const held = gateway.client.request('GET', `/tasks/${id}?wait=30s`);
  proxy.cut();
  proxy.silence();
  await gateway.process.waitForLog(/session is lost/);
  await proxy.heal();
  await gateway.client.ready();
  await (await stack.session).create(`/tasks/${id}/status`, 'done by hand');
  const { status, body } = await held;
  assert.deepEqual([status, body.state, body.result], [200, 'succeeded', 'done by hand']);
});

test('SIGTERM: what is held is answered with the present state, and the process ends cleanly', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const { client, process } = stack.gateway;
  const waiting = await client.submit({ type: 'nobody-has-it' });
  const running = await client.submit({ type: 'sleep', payload: { ms: 60_000 } });
  await client.untilRunning(running.id);
  const held = [waiting, running].map(({ id }) => client.request('GET', `/tasks/${id}?wait=60s`));
  const submitted = client.request('POST', '/tasks?wait=60s', { type: 'nobody-has-it' });
  await eventually('all three are held', async () => (await tasksAndWaits(stack)) === '3 3');
  const stoppedAt = performance.now();
  const exited = process.stop();
  const answers = await Promise.all([...held, submitted]);
  t.diagnostic(`SIGTERM to the last answer: ${Math.round(performance.now() - stoppedAt)} ms`);
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body.state]),
    [
      [200, 'queued'],
      [200, 'running'],
      [201, 'queued'],
    ],
  );
  assert.deepEqual(await exited, { code: 0, signal: null });
});

/** How many tasks there are, and how many requests wait. */
async function tasksAndWaits(stack: Stack): Promise<string> {
  const tasks = await (await stack.session).getChildren('/tasks');
  const metrics = await (await fetch(`${stack.client.url}/metrics`)).text();
  const [, waits] = /^taskkeeper_waiting_requests (\d+)$/m.exec(metrics) ?? [];
  return `${tasks?.children.length} ${waits}`;
}
