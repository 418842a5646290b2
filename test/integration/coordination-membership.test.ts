// Goal: a worker is registered for as long as its session lives and no longer, under an id that one session holds at a
// time; what a person removes is made again.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { announce, deregister, register, registrationChanged } from '../../coordination/membership.ts';
import type { Session } from '../../coordination/session.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { decodeWorker } from '../../coordination/znode-records.ts';
import type { WorkerId, WorkerRecord } from '../../domain/task.ts';
import { openSession, reached, sessionOptions, type TestSession, within } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const worker = 'w1' as WorkerId;
const path = paths.worker(worker);
const record: WorkerRecord = { address: '127.0.0.1:1', concurrency: 4, types: ['echo'], queues: null, draining: false };

async function setUp(t: TestContext) {
  const chroot = `/${t.name.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}`;
  const proxy = await startFaultProxy(t, zookeeper);
  const open = async (sessionTimeoutMs = 10_000) => (await openSession(t, proxy, { sessionTimeoutMs, chroot })).session;
  const { session: observer } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000, chroot });
  await ensureParents(observer);
  return { proxy, open, observer };
}

function join(session: Session, logs: TestSession['logs'] = []): Promise<bigint> {
  const registered = register(session, worker, record, sessionOptions(zookeeper, logs).log);
  return within(registered, 'the worker is registered');
}

test('registered, with a folder for its assignments, and gone without a trace', async (t) => {
  const { open, observer } = await setUp(t);
  const session = await open();
  const czxid = await join(session);
  const znode = await observer.getData(path);
  assert.deepEqual([znode?.stat.czxid, znode?.stat.ephemeralOwner], [czxid, session.id]);
  assert.deepEqual(znode && decodeWorker(znode.data), record);
  assert.ok(await observer.exists(paths.assignments(worker)));
  await announce(session, worker, { ...record, draining: true });
  const changed = await observer.getData(path);
  assert.equal(changed && decodeWorker(changed.data)?.draining, true);
  await deregister(session, worker);
  assert.equal(await observer.exists(path), null);
  assert.equal(await observer.exists(paths.assignments(worker)), null);
});

test('removed by hand: it is told, and registers again, younger than before', async (t) => {
  const { open, observer } = await setUp(t);
  const session = await open();
  const czxid = await join(session);
  const changed = within(registrationChanged(session, worker), 'it is told');
  await observer.commit([
    { kind: 'remove', path, version: null },
    { kind: 'remove', path: paths.assignments(worker), version: null },
  ]);
  await changed;
  assert.ok((await join(session)) > czxid);
  assert.ok(await observer.exists(paths.assignments(worker)));
});

test('/workers and /assign were removed by hand', async (t) => {
  const { open, observer } = await setUp(t);
  await observer.commit([paths.workers, paths.assign].map((path) => ({ kind: 'remove', path, version: null })));
  await join(await open());
  assert.ok(await observer.exists(path));
});

test('an id that another session holds is waited for, until that session is over', async (t) => {
  const { open, proxy, observer } = await setUp(t);
  const former = await open(800);
  await join(former);
  const { session } = await openSession(t, zookeeper, {
    sessionTimeoutMs: 10_000,
    chroot: `/${t.name.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}`,
  });
  const logs: TestSession['logs'] = [];
  const joined = join(session, logs);
  proxy.silence();
  proxy.refuse();
  await reached(former, 'lost');
  await joined;
  assert.equal((await observer.exists(path))?.ephemeralOwner, session.id);
  assert.ok(logs.some(({ msg }) => /another session is registered/.test(msg)));
});

test('the answer to its registration is lost: registered once, and it knows', async (t) => {
  const { open, proxy, observer } = await setUp(t);
  const session = await open();
  const swallowed = proxy.swallowNextReply((opcode, request) => opcode === opcodes.multi && request.includes(path));
  const czxid = await join(session);
  assert.equal((await swallowed).error, 0);
  assert.equal((await observer.exists(path))?.czxid, czxid);
});

test('leaving with something still assigned leaves the registration to the session, and the folder to the master', async (t) => {
  const { open, observer } = await setUp(t);
  const session = await open();
  await join(session);
  const assignment = `${paths.assignments(worker)}/task-0000000000`;
  await observer.commit([{ kind: 'create', path: assignment, data: Buffer.alloc(0), mode: 'persistent' }]);
  await deregister(session, worker);
  assert.ok(await observer.exists(assignment));
  await session.close();
  assert.equal(await observer.exists(path), null);
});
