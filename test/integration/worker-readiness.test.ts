// Goal: a worker that cannot hear what it is assigned is neither registered nor ready. Method: a folder of assignments that
// somebody has closed to it, and a link that is cut under a session that lives on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startStack } from '../support/stack.ts';
import { startZkCli } from '../support/zkcli.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { assign, createTask, startWorkerByHand, statusOf } from './worker-by-hand.ts';

const zookeeper = await startZooKeeper(wholeFile);

async function readiness(admin: unknown): Promise<number> {
  return (await fetch(`http://${admin}/readyz`)).status;
}

test('it may not read what it is assigned: it says so, stays away, and comes once it may', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 0, workers: 0, gateways: 0 });
  const session = await stack.session;
  await session.create('/assign');
  const zkCli = await startZkCli(t, stack.connect);
  await zkCli.run('create /assign/ours1 "" world:anyone:cdwa');
  const registered = stack.addWorker();
  const worker = await eventually('it has been started', () => stack.workers[0]);
  const refusal = await worker.process.waitForLog(/does not allow what this process needs/);
  assert.equal(refusal.level, 50);
  assert.equal(await session.exists('/workers/ours1'), null);
  await zkCli.run('setAcl /assign/ours1 world:anyone:cdrwa');
  await registered;
  const task = await createTask(session, 'echo hello');
  await assign(session, task);
  assert.equal((await statusOf(session, task)).state, 'succeeded');
});

test('it is ready while it is registered over a link that stands', async (t) => {
  const { worker, proxy } = await startWorkerByHand(t, zookeeper, 30_000);
  const { admin } = await worker.process.waitForLog(/^started$/);
  assert.equal(await readiness(admin), 200);
  proxy.refuse();
  proxy.cut();
  await eventually('it is not ready without a link', async () => (await readiness(admin)) === 503);
  await proxy.accept();
  await eventually('it is ready again', async () => (await readiness(admin)) === 200);
  assert.equal(worker.process.logs.filter(({ msg }) => msg === 'registered').length, 1);
});
