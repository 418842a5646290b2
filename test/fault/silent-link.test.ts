// Goal: a link that carries nothing, in one direction or both, is noticed; in time the session goes on elsewhere, and out
// of time we give it up, by our own clock, before the ensemble does. (The npm client has no read timeout at all.)

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { monotonicMs } from '../../runtime/clock.ts';
import { wholeFile } from '../support/cleanup.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { aborted, create, gone, next, openSession, within } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const directions = ['both', 'toServer', 'toClient'] as const;
const timeoutMs = 1200;

/** Nothing else happens in this process meanwhile. */
function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The session is on `used`, and `spare` leads to the same server. */
async function onTwoLinks(t: TestContext) {
  const proxies = [await startFaultProxy(t, zookeeper), await startFaultProxy(t, zookeeper)];
  const opened = await openSession(t, proxies, { sessionTimeoutMs: timeoutMs });
  const used = proxies.find(({ connections }) => connections === 1) as FaultProxy;
  return { ...opened, used, spare: proxies.find((proxy) => proxy !== used) as FaultProxy };
}

for (const direction of directions) {
  test(`silent ${direction}: the same session goes on over another link`, async (t) => {
    const { session, states, used, spare } = await onTwoLinks(t);
    await session.commit([create(`/kept-${direction}`, '', 'ephemeral')]);
    const { id } = session;
    const silentAt = performance.now();
    used.silence(direction);
    await next(session, 'suspended');
    const noticedMs = performance.now() - silentAt;
    await next(session, 'connected');
    assert.equal(session.id, id);
    assert.equal((await session.exists(`/kept-${direction}`))?.ephemeralOwner, id);
    assert.equal(session.signal.aborted, false);
    assert.equal(spare.connections, 1);
    assert.ok(noticedMs < timeoutMs * 0.8, `noticed after ${noticedMs} ms`);
    assert.deepEqual(
      states.map(({ state }) => state),
      ['connected', 'suspended', 'connected'],
    );
  });

  test(`silent ${direction} for good: we give the session up before the ensemble does`, async (t) => {
    const proxy = await startFaultProxy(t, zookeeper);
    const { session } = await openSession(t, proxy, { sessionTimeoutMs: timeoutMs });
    const observer = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000 });
    const path = `/given-up-${direction}`;
    await session.commit([create(path, '', 'ephemeral')]);
    const goneAt = gone(observer.session, path);
    proxy.silence(direction);
    proxy.refuse();
    const silentSince = performance.now();
    const trustedUntil = () => session.trustedUntil;
    const abortedAt = await aborted(session.signal);
    assert.ok(abortedAt >= trustedUntil() && abortedAt < trustedUntil() + 50, 'aborted when the trust ended');
    assert.ok(performance.now() - silentSince <= timeoutMs, 'no later than the last answered send and the timeout');
    assert.ok(abortedAt < (await goneAt), 'before anybody else could take what the session held');
    assert.equal(session.state, 'lost');
    await assert.rejects(session.exists('/'), { code: 'session_lost', outcome: 'not applied' });
  });
}

test('a pause of our own is not taken for silence: the link stays', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session, states } = await openSession(t, proxy, { sessionTimeoutMs: timeoutMs });
  await session.sync('/');
  blockFor(timeoutMs * 0.5);
  await session.sync('/');
  assert.deepEqual(
    states.map(({ state }) => state),
    ['connected'],
  );
  assert.equal(proxy.connectionsSeen, 1);
});

test('a link that heals in time keeps its session', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: timeoutMs });
  const { id } = session;
  proxy.silence();
  const read = session.exists('/zookeeper');
  await next(session, 'suspended');
  await proxy.heal();
  await next(session, 'connected');
  assert.ok(await read);
  assert.equal(session.id, id);
});

test('requests are lost and watch events still come: the link is dropped all the same', async (t) => {
  const { session, used } = await onTwoLinks(t);
  const { session: writer } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000 });
  await writer.commit([create('/busy')]);
  let events = 0;
  let dropped = false;
  await session.watchRecursively('/busy', () => {
    events += 1;
  });
  used.silence('toServer');
  const suspended = next(session, 'suspended').then(() => {
    dropped = true;
  });
  for (let i = 0; !dropped; i += 1) {
    await writer.commit([{ kind: 'set', path: '/busy', data: Buffer.from(String(i)), version: null }]);
  }
  await suspended;
  assert.ok(events > 10, `${events} events`);
  await within(next(session, 'connected'), 'the session goes on');
  assert.equal(session.signal.aborted, false);
});

test('a session is trusted from when we asked, not from when the answer came', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  proxy.delay(50);
  const seen = proxy.nextFrame(({ handshake }) => handshake).then(() => monotonicMs());
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: timeoutMs });
  const handshakeAt = await seen;
  assert.ok(monotonicMs() - handshakeAt > 95, 'the answer took its time');
  assert.ok(session.trustedUntil <= handshakeAt + timeoutMs);
  const before = session.trustedUntil;
  await session.exists('/zookeeper');
  assert.equal(session.trustedUntil, before, 'what any server answers by itself proves nothing');
  const askedAt = monotonicMs();
  while (session.trustedUntil === before) await session.sync('/');
  assert.ok(session.trustedUntil <= askedAt + timeoutMs);
});
