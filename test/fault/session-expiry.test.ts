// Goal: a session that the ensemble has ended is lost for good: the signal aborts, what was open fails, watches fire, and
// runSessions begins a new one. Method: another connection takes the session over by its id and password, and closes it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Session } from '../../coordination/session.ts';
import { runSessions } from '../../coordination/session-loop.ts';
import { onCleanup, wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { aborted, create, gone, next, openSession, reached, sessionOptions, within } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const { session: observer } = await openSession(wholeFile, zookeeper, { sessionTimeoutMs: 30_000 });

/** Id and password of the session that connects through `proxy` next: bytes 8 to 36 of the server's first answer. */
async function nextCredentials(proxy: FaultProxy): Promise<Buffer> {
  const { body } = await proxy.nextFrame(({ direction, handshake }) => direction === 'toClient' && handshake);
  return body.subarray(8, 36);
}

/** Takes the session over and closes it; resolves when the server has hung up. */
async function endAtServer(credentials: Buffer): Promise<void> {
  const socket = connect(zookeeper.port, '127.0.0.1');
  const handshake = Buffer.concat([Buffer.alloc(12), int(10_000), credentials, Buffer.alloc(1)]);
  const closeSession = Buffer.concat([int(1), int(-11)]);
  for (const body of [handshake, closeSession]) socket.write(Buffer.concat([int(body.length), body]));
  socket.resume();
  await within(once(socket, 'close'), 'the server closes the connection');
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

async function proxied(t: TestContext) {
  const proxy = await startFaultProxy(t, zookeeper);
  const credentials = nextCredentials(proxy);
  const opened = await openSession(t, proxy, { sessionTimeoutMs: 20_000 });
  return { proxy, ...opened, credentials: await credentials };
}

test('ended by the ensemble: lost at the next contact', async (t) => {
  const { proxy, session, states, credentials, logs } = await proxied(t);
  await session.commit([create('/expiring', '', 'ephemeral')]);
  let fired = 0;
  await session.watch('/expiring', () => {
    fired += 1;
  }).stat;
  proxy.refuse();
  proxy.cut();
  await reached(session, 'suspended');
  await endAtServer(credentials);
  await gone(observer, '/expiring');
  const waiting = assert.rejects(session.commit([create('/too-late')]), {
    code: 'session_lost',
    outcome: 'not applied',
  });
  const reading = assert.rejects(session.getData('/'), { code: 'session_lost' });
  await proxy.accept();
  await aborted(session.signal);
  await within(Promise.all([waiting, reading]), 'what waited fails');
  assert.equal(session.signal.reason.name, 'SessionLost');
  assert.equal(fired, 1);
  assert.deepEqual(
    states.map(({ state }) => state),
    ['connected', 'suspended', 'lost'],
  );
  assert.ok(logs.some(({ msg, why }) => /is lost/.test(msg) && why === 'session_expired'));
  await assert.rejects(session.getData('/'), { code: 'session_lost' });
  assert.equal(await observer.exists('/too-late'), null);
});

test('a lost session leaves nothing running: its sockets and timers are gone', async (t) => {
  const { proxy, session, credentials } = await proxied(t);
  proxy.refuse();
  proxy.cut();
  await endAtServer(credentials);
  await proxy.accept();
  await aborted(session.signal);
  const seen = proxy.connectionsSeen;
  // A new session through the same proxy takes longer than a reconnect of the old one would.
  await openSession(t, proxy, { sessionTimeoutMs: 10_000 });
  assert.equal(proxy.connectionsSeen, seen + 1);
  assert.equal(session.state, 'lost');
});

test('runSessions: after a lost session the body runs again with a new one, until it is told to stop', async (t) => {
  const proxy = await startFaultProxy(t, zookeeper);
  const stop = new AbortController();
  onCleanup(t, () => stop.abort());
  const sessions: Session[] = [];
  let onSession: (session: Session) => void = () => undefined;
  const nextSession = () =>
    within(
      new Promise<Session>((resolve) => {
        onSession = resolve;
      }),
      'a session begins',
    );
  const firstSession = nextSession();
  const credentials = nextCredentials(proxy);
  const running = runSessions({ ...sessionOptions(proxy), sessionTimeoutMs: 20_000 }, stop.signal, async (session) => {
    sessions.push(session);
    await session.commit([create('/held-by-one', String(sessions.length), 'ephemeral')]);
    onSession(session);
    await aborted(AbortSignal.any([session.signal, stop.signal]), 60_000);
  });
  const first = await firstSession;
  const second = nextSession();
  proxy.refuse();
  proxy.cut();
  await next(first, 'suspended');
  await endAtServer(await credentials);
  await proxy.accept();
  assert.notEqual((await second).id, first.id);
  assert.equal(first.state, 'lost');
  assert.equal((await observer.getData('/held-by-one'))?.data.toString(), '2');
  stop.abort();
  await within(running, 'runSessions ends');
  assert.equal((await second).state, 'closed');
  assert.equal(await observer.exists('/held-by-one'), null, 'a clean stop ends the session at once');
});

test('a session that is closed while its link is broken ends at the server when the link is back, and without one soon', async (t) => {
  for (const comesBack of [true, false]) {
    const proxy = await startFaultProxy(t, zookeeper);
    const { session } = await openSession(t, proxy, { sessionTimeoutMs: 20_000 });
    const path = `/held-${comesBack}`;
    await session.commit([{ kind: 'create', path, data: Buffer.alloc(0), mode: 'ephemeral' }]);
    proxy.refuse();
    proxy.cut();
    await next(session, 'suspended');
    const closed = within(session.close(), 'it is closed');
    if (comesBack) await proxy.accept();
    await closed;
    assert.equal(session.state, 'closed');
    if (comesBack) await eventually('what it held is gone', async () => !(await observer.exists(path)));
    else assert.ok(await observer.exists(path));
  }
});
