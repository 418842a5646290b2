// Goal: a worker that stops cleanly hands back whatever was assigned to it, also what was assigned while it said that it
// drains. Method: a master by hand who assigns at that very moment, and a proxy that holds the frames on their way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opcodes } from '../../coordination/zookeeper-requests.ts';
import { wholeFile } from '../support/cleanup.ts';
import type { RequestMatch } from '../support/fault-connection.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { assign, createTask, readOf, requestFor, startWorkerByHand } from './worker-by-hand.ts';

const zookeeper = await startZooKeeper(wholeFile);
const clean = { code: 0, signal: null };

test('assigned just before it says that it drains, and known to it too late: handed back', async (t) => {
  const { session, worker, proxy, stack } = await startWorkerByHand(t, zookeeper, 6000);
  const task = await createTask(session, 'echo hello');
  const toServer = (match: RequestMatch) =>
    proxy.nextFrame((frame) => frame.opcode !== null && match(frame.opcode, frame.body));
  const stopHolding = proxy.onFrame((frame) => {
    if (frame.opcode === opcodes.multi && frame.body.includes('"draining":true')) proxy.silence('toServer');
  });
  const announced = proxy.nextFrame(({ opcode }) => opcode === opcodes.multi);
  const read = toServer(readOf(`${stack.chroot}/assign/ours1/${task}`));
  const exited = worker.process.stop();
  await announced;
  const assignment = await assign(session, task);
  const { xid } = await read;
  stopHolding();
  // The worker learns that its announcement stands, and not yet what it is assigned.
  const stopHoldingReply = proxy.onFrame((frame) => {
    if (frame.direction === 'toClient' && frame.xid === xid) proxy.silence('toClient');
  });
  const leaving = toServer(requestFor(opcodes.exists, `${stack.chroot}/workers/ours1`));
  await proxy.heal();
  await leaving;
  stopHoldingReply();
  await proxy.heal();
  assert.deepEqual(await exited, clean);
  assert.equal(await session.exists(assignment), null);
  assert.deepEqual((await session.getChildren(`/tasks/${task}`))?.children, []);
  assert.deepEqual([await session.exists('/workers/ours1'), await session.exists('/assign/ours1')], [null, null]);
});

test('its announcement is lost with the link: it is made again, and what is assigned until then is handed back', async (t) => {
  const { session, worker, proxy } = await startWorkerByHand(t, zookeeper, 6000);
  const task = await createTask(session, 'echo hello');
  const isAnnouncement = (opcode: number, request: Buffer) =>
    opcode === opcodes.multi && request.includes('"draining":true');
  const lost = proxy.dropNextRequest(isAnnouncement);
  const again = proxy.nextFrame(({ opcode, body, connection }) => connection > 1 && isAnnouncement(opcode ?? 0, body));
  const exited = worker.process.stop();
  await lost;
  const assignment = await assign(session, task);
  await again;
  assert.deepEqual(await exited, clean);
  assert.deepEqual([await session.exists(assignment), await session.exists('/assign/ours1')], [null, null]);
  assert.deepEqual((await session.getChildren(`/tasks/${task}`))?.children, []);
});

test('without any grace what runs is handed back only once it stands that the worker drains', async (t) => {
  const { session, worker, proxy, stack } = await startWorkerByHand(t, zookeeper, 6000, { WORKER_DRAIN_GRACE_MS: 0 });
  const task = await createTask(session, JSON.stringify({ v: 1, type: 'sleep', payload: { ms: 60_000 } }));
  const began = proxy.nextFrame(({ opcode, body }) => readOf(`${stack.chroot}/tasks/${task}`)(opcode ?? 0, body));
  const assignment = await assign(session, task);
  await began;
  const events: string[] = [];
  const listener = (path: string, change: string) => events.push(`${change} ${path}`);
  await session.watchRecursively('/workers', listener);
  await session.watchRecursively('/assign', listener);
  proxy.delay(50); // the announcement takes a look and a commit
  assert.deepEqual(await worker.process.stop(), clean);
  assert.deepEqual(events.slice(0, 2), ['changed /workers/ours1', `removed ${assignment}`]);
});

test('what is not its own to end does not keep it', async (t) => {
  const { session, worker } = await startWorkerByHand(t, zookeeper, 6000);
  await session.create('/assign/ours1/a-note-of-somebody');
  assert.deepEqual(await worker.process.stop(), clean);
  assert.deepEqual((await session.getChildren('/assign/ours1'))?.children, ['a-note-of-somebody']);
  assert.equal(await session.exists('/workers/ours1'), null);
});
