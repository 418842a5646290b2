// Goal: permissions that somebody got wrong cost only what they are about. A process that may not be here says so, waits and comes
// once it may; a task that is hidden is told as such to who asks for it, and is in nobody's way. Method: real processes, and a
// client with credentials of its own, whose znodes nobody else may read.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSession } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { metricOf } from '../support/many-tasks.ts';
import { type ServiceName, startService } from '../support/process.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { temporaryFolder } from '../support/stack-handlers.ts';
import { startZkCli } from '../support/zkcli.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

function digestFile(t: TestContext, credentials: string): string {
  const path = join(temporaryFolder(t), 'digest');
  writeFileSync(path, `${credentials}\n`);
  return path;
}

/** Somebody whose znodes nobody else may read. */
async function stranger(t: TestContext, { chroot }: Stack) {
  const { session } = await openSession(t, zookeeper, { chroot, digest: 'somebody:else', sessionTimeoutMs: 30_000 });
  const create = async (path: string, data: string, mode: 'persistent' | 'sequential' = 'persistent') => {
    const [made] = await session.commit([{ kind: 'create', path, data: Buffer.from(data), mode }]);
    return made?.path ?? '';
  };
  return { session, create };
}

test('a chroot that is not there is made for the credentials of whoever comes first; without them nobody gets in, and says so', async (t) => {
  const ours = { ZOOKEEPER_DIGEST_FILE: digestFile(t, 'taskkeeper:secret') };
  const stack = await startStack(t, zookeeper, {
    masters: 0,
    workers: 0,
    gateways: 0,
    sessionTimeoutMs: calmSessionMs,
  });
  const connect = `${stack.connect}/a/b`;
  const { process: master } = await stack.addMaster({ ZOOKEEPER_CONNECT: connect, ...ours });
  await stack.addWorker({ ZOOKEEPER_CONNECT: connect, ...ours });
  const { client } = await stack.addGateway({ ZOOKEEPER_CONNECT: connect, ...ours });
  await master.waitForLog(/^leading$/);
  const wrong = { ZOOKEEPER_DIGEST_FILE: digestFile(t, 'taskkeeper:wrong') };
  const comes = async (role: ServiceName, credentials: typeof wrong | object) => {
    const proxy = await startFaultProxy(t, zookeeper);
    const common = { ZOOKEEPER_CONNECT: `${proxy.connect}${stack.chroot}/a/b`, HTTP_PORT: 0, GRPC_PORT: 0 };
    const outsider = startService(t, role, { ...common, ...credentials });
    const { level } = await outsider.waitForLog(/does not allow what this process needs: is ZOOKEEPER_DIGEST_FILE/);
    assert.deepEqual([level, proxy.connectionsSeen], [50, 1]);
    assert.deepEqual(await outsider.stop(), { code: 0, signal: null });
  };
  await Promise.all([comes('master', {}), comes('worker', wrong), comes('gateway', wrong)]);
  assert.equal((await client.run({ type: 'echo', payload: 'ours' })).result, 'ours');
});

test('a task that is hidden, or whose status is: told at once to who asks, left out of lists, and in nobody’s way', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const { client } = stack;
  const somebody = await stranger(t, stack);
  const path = await somebody.create('/tasks/task-', '{"v":1,"type":"echo"}', 'sequential');
  const hidden = path.slice('/tasks/'.length);
  const { id } = await client.submit({ type: 'nobody-has-it' });
  await somebody.create(`/tasks/${id}/status`, 'done');
  for (const task of [hidden, id]) {
    const askedAt = performance.now();
    for (const [method, place] of [
      ['GET', ''],
      ['GET', '?wait=20s'],
      ['GET', '/events'],
      ['POST', '/cancel'],
      ['POST', '/retry'],
    ] as const) {
      const { status, body } = await client.request(method, `/tasks/${task}${place}`);
      assert.deepEqual([status, body.type.split('/').at(-1)], [409, 'task-unreadable'], place);
    }
    assert.ok(performance.now() - askedAt < 10_000, 'nobody waits for what will not be told');
    const { body } = await client.request('GET', `/tasks/${task}/explain`);
    const { reason, message, state } = body as unknown as { reason: string; message: string; state: string | null };
    assert.deepEqual([reason, state], ['unreadable', null]);
    assert.match(message, /ACL in ZooKeeper/);
  }
  assert.equal((await client.request('DELETE', `/tasks/${hidden}`)).status, 409);
  const done = await client.run({ type: 'echo' });
  await eventually('lists go on without them', async () => {
    const { status, body } = await client.request('GET', '/tasks');
    const { tasks } = body as unknown as { tasks: { id: string }[] };
    assert.equal(status, 200, JSON.stringify(body));
    return tasks.some((task) => task.id === done.id) && !tasks.some((task) => task.id === hidden || task.id === id);
  });
  const zkCli = await startZkCli(t, stack.connect);
  await zkCli.run('addauth digest somebody:else');
  await zkCli.run(`setAcl /tasks/${id}/status world:anyone:r`);
  assert.equal((await client.get(id)).result, 'done');

  // Who looks for what it has submitted comes across hidden ones.
  const gateway = await stack.addGateway({}, true);
  await somebody.create('/tasks/task-', 'hidden', 'sequential');
  const lost = gateway.proxy?.swallowNextReply((_opcode, request) => request.includes('lost-answer'));
  const found = await gateway.client.submit({ type: 'lost-answer' });
  await lost;
  assert.equal((await gateway.client.get(found.id)).type, 'lost-answer');
});

test('a task that is hidden while it runs, and then deleted, is forgotten: nobody tries for ever to give it to somebody', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const { client } = stack;
  const { id } = await client.submit({ type: 'sleep', payload: { ms: 2000 } });
  await client.untilRunning(id);
  const zkCli = await startZkCli(t, stack.connect);
  await zkCli.run('addauth digest somebody:else');
  await zkCli.run(`setAcl /tasks/${id} auth:somebody:else:cdrwa`);
  await stack.worker('ours1').process.waitForLog(/cannot be recorded/);
  await zkCli.run(`delete /tasks/${id}`);
  const { process: master } = await stack.leader();
  const tasks = async (state: string) => metricOf(master, `taskkeeper_tasks{state="${state}"}`);
  await eventually('it counts as nothing', async () => (await tasks('queued')) + (await tasks('running')) === 0);
  assert.equal((await client.request('GET', `/tasks/${id}`)).status, 404);
});
