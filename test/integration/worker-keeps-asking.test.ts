// Goal: what a live worker is assigned it ends, however long ZooKeeper keeps it waiting for the reads on the way. Method: its
// requests for one thing are held until the operation has run out of time, while its session lives on and at last its link
// stands; the command counts how often it runs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { opcodes } from '../../coordination/zookeeper-requests.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/stack-handlers.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import {
  assign,
  createTask,
  leaveUnanswered,
  readOf,
  requestFor,
  startWorkerByHand,
  statusOf,
  untilGone,
} from './worker-by-hand.ts';

/** Far more than it takes; without the second question of a worker these would wait for ever. */
const timeout = { timeout: 20_000 };

const zookeeper = await startZooKeeper(wholeFile);

/** A command that leaves a line each time it runs. */
async function start(t: TestContext, rest = 'true') {
  const { session, worker, proxy, stack } = await startWorkerByHand(t, zookeeper);
  const file = join(temporaryFolder(t), 'runs');
  const task = await createTask(session, `echo run >> ${file}; ${rest}`);
  const runs = () => readFileSync(file, 'utf8');
  return { session, worker, proxy, chroot: stack.chroot, task, runs };
}

test('its task cannot be read for long: it runs all the same, once', timeout, async (t) => {
  const { session, proxy, chroot, task, runs } = await start(t);
  const answered = leaveUnanswered(proxy, readOf(`${chroot}/tasks/${task}`));
  const assignment = await assign(session, task);
  await answered;
  assert.equal((await statusOf(session, task)).state, 'succeeded');
  await untilGone(session, assignment);
  assert.equal(runs(), 'run\n');
});

test(
  'the outcome is not applied and cannot be looked up for long: it is recorded all the same, of one run',
  timeout,
  async (t) => {
    const { session, proxy, chroot, task, runs } = await start(t);
    const path = `${chroot}/tasks/${task}/status`;
    const dropped = proxy.dropNextRequest((opcode, request) => opcode === opcodes.multi && request.includes(path));
    const answered = leaveUnanswered(proxy, requestFor(opcodes.sync, `${chroot}/assign/ours1/${task}`));
    const assignment = await assign(session, task);
    await dropped;
    await answered;
    assert.equal((await statusOf(session, task)).state, 'succeeded');
    await untilGone(session, assignment);
    assert.equal(runs(), 'run\n');
  },
);

test('it is withdrawn and the reason cannot be read for long: it is cancelled all the same', timeout, async (t) => {
  const { session, proxy, chroot, task, runs } = await start(t, 'sleep 1000');
  const answered = leaveUnanswered(proxy, readOf(`${chroot}/tasks/${task}/cancel`));
  const assignment = await assign(session, task);
  await eventually('it runs', runs);
  await session.create(`/tasks/${task}/cancel`, 'enough');
  const data = Buffer.from('{"v":1,"withdraw":"cancelled"}');
  await session.commit([{ kind: 'set', path: assignment, data, version: 0 }]);
  await answered;
  assert.deepEqual((await statusOf(session, task)).error, { code: 'cancelled', message: 'enough' });
  await untilGone(session, assignment);
});
