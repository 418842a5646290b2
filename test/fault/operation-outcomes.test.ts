// Goal: every operation ends in time, and a write that failed says truly whether it may have been applied. (The npm client
// lets what is asked while disconnected wait for ever, and calls every loss the same.)

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { limits } from '../../domain/limits.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { aborted, create, next, openSession, reached, within } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const { session: observer } = await openSession(wholeFile, zookeeper, { sessionTimeoutMs: 30_000 });
const isMulti = (opcode: number) => opcode === opcodes.multi;
const getData = 4;

async function proxied(t: TestContext, operationTimeoutMs = 10_000) {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000, operationTimeoutMs });
  return { proxy, session };
}

const settling = <T>(operation: Promise<T>) => within(operation, 'the operation ends', 3000);

test('asked while disconnected: the deadline ends it as not applied, and it is never sent', async (t) => {
  const { proxy, session } = await proxied(t, 200);
  proxy.refuse();
  proxy.cut();
  await reached(session, 'suspended');
  const expected = { code: 'deadline_exceeded', outcome: 'not applied' };
  await assert.rejects(settling(session.commit([create('/while-away')])), expected);
  await assert.rejects(settling(session.getData('/while-away')), expected);
  await proxy.accept();
  await reached(session, 'connected');
  await session.sync('/');
  assert.equal(await session.exists('/while-away'), null);
});

test('asked while disconnected and connected again in time: it is sent', async (t) => {
  const { proxy, session } = await proxied(t);
  proxy.refuse();
  proxy.cut();
  await reached(session, 'suspended');
  const write = session.commit([create('/after-all')]);
  await proxy.accept();
  await settling(write);
  assert.ok(await observer.exists('/after-all'));
});

test('sent, applied, and its answer lost: unknown', async (t) => {
  const { proxy, session } = await proxied(t);
  const swallowed = proxy.swallowNextReply(isMulti);
  const write = session.commit([create('/applied')]);
  await assert.rejects(settling(write), { code: 'connection_lost', outcome: 'unknown' });
  assert.equal((await swallowed).error, 0);
  assert.ok(await observer.exists('/applied'));
});

test('sent and lost on the way: unknown too, and it is not sent again', async (t) => {
  const { proxy, session } = await proxied(t);
  const dropped = proxy.dropNextRequest(isMulti);
  const write = session.commit([create('/never-there')]);
  await assert.rejects(settling(write), { code: 'connection_lost', outcome: 'unknown' });
  await dropped;
  await reached(session, 'connected');
  await session.sync('/');
  assert.equal(await session.exists('/never-there'), null);
});

test('sent and not answered by the deadline, the link being up: unknown', async (t) => {
  const { proxy, session } = await proxied(t, 300);
  proxy.silence('toClient');
  const write = session.commit([create('/late')]);
  const read = session.getData('/late');
  await assert.rejects(settling(write), { code: 'deadline_exceeded', outcome: 'unknown' });
  await assert.rejects(settling(read), { code: 'deadline_exceeded', outcome: 'not applied' });
  await proxy.heal();
  assert.ok(await session.exists('/late'), 'what comes late disturbs nothing');
  assert.equal(proxy.connectionsSeen, 1);
});

test('reads survive a reconnect, whichever way they were lost', async (t) => {
  const { proxy, session } = await proxied(t);
  await session.commit([create('/read', 'data')]);
  for (const lose of ['dropNextRequest', 'swallowNextReply'] as const) {
    const lost = proxy[lose]((opcode) => opcode === getData);
    const reads = [session.getData('/read'), session.exists('/read'), session.getChildren('/read')];
    await lost;
    const [znode] = await settling(Promise.all(reads));
    assert.equal(znode && 'data' in znode && znode.data.toString(), 'data');
  }
  assert.equal(proxy.connectionsSeen, 3);
});

test('the session is lost: what was sent is unknown, what waited is not applied, both at once', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 600, operationTimeoutMs: 60_000 });
  proxy.silence('toClient');
  const sent = session.commit([create('/sent')]);
  const sentFails = assert.rejects(sent, { outcome: 'unknown' });
  proxy.refuse();
  await next(session, 'suspended');
  const waiting = session.commit([create('/waiting')]);
  const waitingFails = assert.rejects(waiting, { code: 'session_lost', outcome: 'not applied' });
  await aborted(session.signal);
  await settling(Promise.all([sentFails, waitingFails]));
  await assert.rejects(session.commit([create('/later')]), { code: 'session_lost', outcome: 'not applied' });
});

test('a request over the packet limit is refused before it is sent, and the connection stays', async (t) => {
  const { proxy, session } = await proxied(t);
  const huge = 'x'.repeat(limits.packetBytesMax);
  const write = session.commit([create('/huge', huge)]);
  await assert.rejects(settling(write), { code: 'too_large', outcome: 'not applied' });
  await session.commit([create('/large', huge.slice(0, -200))]);
  assert.equal((await session.getData('/large'))?.data.length, huge.length - 200);
  assert.equal(proxy.connectionsSeen, 1);
});
