// Goal: sessions move from server to server: those of a server that dies, and of the others while each of them is restarted, go on as the
// same ones, so nothing that they hold is lost, run twice or answered late; a server that has lost the others, and would let clients
// read what was, is no server to us. Method: an ensemble of three with read-only mode, real processes, traffic all the while.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSession, reached } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { type Process, startStack } from '../support/stack.ts';
import { judge, Load } from '../support/stack-load.ts';
import { startEnsemble } from '../support/zookeeper-ensemble.ts';
import type { TestZooKeeper } from '../support/zookeeper-server.ts';

const ensemble = await startEnsemble(wholeFile, { jvmFlags: ['-Dreadonlymode.enabled=true'] });
const { servers } = ensemble;
/** No server is away for so long. */
const stack = await startStack(wholeFile, ensemble, { masters: 2, workers: 2, sessionTimeoutMs: 20_000 });
const { client } = stack;
const session = await stack.session;
const processes = [...stack.masters, ...stack.workers, ...stack.gateways];

function sessionOf({ process }: Process): unknown {
  return process.logs.findLast((line) => line['session'] !== undefined)?.['session'];
}

/** The server that it is connected to. */
async function serverOf(process: Process): Promise<TestZooKeeper> {
  return await eventually(`a server has ${process.id}`, async () => {
    const connections = await Promise.all(servers.map((server) => server.fourLetterWord('cons').catch(() => '')));
    return servers[connections.findIndex((text) => text.includes(`sid=0x${sessionOf(process)}`))];
  });
}

/** What sessions hold, as of the transactions that made it. */
async function held(): Promise<unknown> {
  const paths = ['/master', ...stack.workers.map(({ id }) => `/workers/${id}`)];
  const stats = await Promise.all(paths.map((path) => session.exists(path)));
  return [processes.map(sessionOf), stats.map((stat) => stat?.czxid)];
}

test('the server of a busy worker is killed, then the others are restarted in turn: the same sessions hold what they held', async (t) => {
  const long = await client.submit({ type: 'sleep', payload: { ms: 3_600_000 } });
  const { worker, startedAt } = await client.untilRunning(long.id);
  const before = await held();
  const load = new Load(t, [client], { lanes: 2 });
  await load.more(20);
  const { id } = await client.submit({ type: 'sleep', payload: { ms: 2000 } });
  const waited = client.request('GET', `/tasks/${id}?wait=60s`);
  const killed = await serverOf(stack.worker(worker));
  const killedAt = performance.now();
  await killed.kill();
  await load.more(20);
  t.diagnostic(`20 more submits acknowledged ${Math.round(performance.now() - killedAt)} ms after it was killed`);
  await killed.start();
  for (const server of servers.filter((its) => its !== killed)) {
    await server.stop();
    await server.start();
    await load.more(20);
  }
  assert.deepEqual(await held(), before);
  const { state, attempt, startedAt: began } = await client.get(long.id);
  assert.deepEqual([state, attempt, began], ['running', 1, startedAt]);
  assert.equal((await waited).body.state, 'succeeded');
  await client.request('POST', `/tasks/${long.id}/cancel`);
  await client.wait(long.id);
  await client.request('DELETE', `/tasks/${long.id}`);
  await load.stop();
  t.diagnostic(await judge(session, load));
});

test('a server that is left alone and in read-only mode is no server to us; with another one all goes on', async (t) => {
  const [alone, ...others] = servers;
  assert.ok(alone);
  const proxy = await startFaultProxy(t, alone);
  await Promise.all(others.map((server) => server.kill()));
  await eventually('it is read-only', async () => /^Mode: read-only$/m.test(await alone.fourLetterWord('srvr')));
  const { session: comer } = await openSession(t, proxy, { connected: false, sessionTimeoutMs: 20_000 });
  await eventually('it was asked again and again', () => proxy.connectionsSeen >= 3);
  assert.equal(comer.state, 'connecting');
  assert.equal((await client.request('GET', '/readyz')).status, 503);
  await Promise.all(others.map((server) => server.start()));
  await reached(comer, 'connected');
  await client.ready(30_000);
  assert.equal((await client.run({ type: 'echo', payload: 'on' })).result, 'on');
});
