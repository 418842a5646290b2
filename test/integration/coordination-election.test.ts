// Goal: one leads at a time, an answer that was lost does not cost the lead nor give it to two, and whoever was overtaken
// cannot write, whatever it still believes.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { campaign, type Leadership, resign } from '../../coordination/election.ts';
import { GroupCommit } from '../../coordination/group-commit.ts';
import type { Session } from '../../coordination/session.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { create, openSession, type Reachable, reached, within } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startZkCli } from '../support/zkcli.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const isTakeover = (opcode: number, request: Buffer) => opcode === opcodes.multi && request.includes(paths.master);
const never = new AbortController().signal;

class Master {
  constructor(
    readonly id: string,
    readonly session: Session,
  ) {}

  /** Resolves once it leads. */
  async lead(signal: AbortSignal = never): Promise<Leadership> {
    const candidate = { masterId: this.id, address: `127.0.0.1:${this.id.length}` };
    const leadership = await within(campaign(this.session, candidate, signal), `${this.id} leads`);
    assert.ok(leadership);
    return leadership;
  }

  write({ guards }: Leadership, path: string) {
    return new GroupCommit(this.session, guards).commit([create(path, this.id)]);
  }
}

async function setUp(t: TestContext) {
  const chroot = `/${t.name.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}`;
  const { session: observer } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000, chroot });
  await ensureParents(observer);
  const master = async (id: string, server: Reachable = zookeeper, sessionTimeoutMs = 10_000) =>
    new Master(id, (await openSession(t, server, { sessionTimeoutMs, chroot })).session);
  return { chroot, observer, master };
}

const fenced = { code: 'fenced', outcome: 'not applied' };

test('the first leads, with version 1 and its address; a second waits, and leads when the first resigns', async (t) => {
  const { observer, master } = await setUp(t);
  const [a, b] = [await master('a'), await master('bb')];
  const first = await a.lead();
  assert.equal(first.epoch, 1);
  const znode = await observer.getData(paths.master);
  assert.deepEqual([znode?.stat.version, znode?.data.toString()], [1, '127.0.0.1:1']);
  assert.equal((await observer.getData(paths.epoch))?.data.toString(), 'a');
  let waiting = true;
  const led = b.lead().finally(() => {
    waiting = false;
  });
  await a.write(first, '/written-by-a');
  assert.equal(waiting, true);
  await resign(a.session, first);
  const second = await led;
  assert.equal(second.epoch, 2);
  await assert.rejects(a.write(first, '/too-late'), fenced);
  await b.write(second, '/written-by-b');
});

test('the answer to the takeover is lost: it leads all the same, once', async (t) => {
  const { observer, master } = await setUp(t);
  const proxy = await startFaultProxy(t, zookeeper);
  const a = await master('a', proxy);
  const swallowed = proxy.swallowNextReply(isTakeover);
  const leadership = await a.lead();
  assert.equal((await swallowed).error, 0);
  assert.equal(leadership.epoch, 1);
  assert.equal((await observer.exists(paths.master))?.ephemeralOwner, a.session.id);
  await a.write(leadership, '/written');
});

test('the takeover is lost on the way: it takes over with the next one', async (t) => {
  const { master } = await setUp(t);
  const proxy = await startFaultProxy(t, zookeeper);
  const a = await master('a', proxy);
  const dropped = proxy.dropNextRequest(isTakeover);
  const leadership = await a.lead();
  await dropped;
  assert.equal(leadership.epoch, 1);
  await a.write(leadership, '/written');
});

test('/master is removed by hand and another takes over: the old leader is fenced', async (t) => {
  const { observer, master } = await setUp(t);
  const [a, b] = [await master('a'), await master('b')];
  const old = await a.lead();
  const led = b.lead();
  await observer.commit([{ kind: 'remove', path: paths.master, version: null }]);
  const young = await led;
  assert.ok(young.epoch > old.epoch);
  await assert.rejects(a.write(old, '/by-the-old-one'), fenced);
  await b.write(young, '/by-the-young-one');
  assert.equal(await observer.exists('/by-the-old-one'), null);
});

test('/master is removed by hand and taken by the same session again: the old epoch does not pass', async (t) => {
  const { observer, master } = await setUp(t);
  const a = await master('a');
  const old = await a.lead();
  await observer.commit([{ kind: 'remove', path: paths.master, version: null }]);
  const young = await a.lead();
  await assert.rejects(a.write(old, '/old'), fenced);
  await a.write(young, '/young');
});

test('a person holds /master: ours waits, its guards do not pass, and it leads when the person goes', async (t) => {
  const { chroot, observer, master } = await setUp(t);
  const a = await master('a');
  const old = await a.lead();
  await observer.commit([{ kind: 'remove', path: paths.master, version: null }]);
  const person = await startZkCli(t, zookeeper.connect + chroot);
  await person.run('create -e /master 127.0.0.2:1111');
  assert.equal((await observer.exists(paths.master))?.version, 0);
  await assert.rejects(a.write(old, '/no'), fenced);
  const led = a.lead();
  await person.close();
  await a.write(await led, '/yes');
});

test('an answer is lost, and a person has set /master or /epoch since: it begins anew', async (t) => {
  for (const path of [paths.master, paths.epoch]) {
    await t.test(path, async (t) => {
      const { observer, master } = await setUp(t);
      const proxy = await startFaultProxy(t, zookeeper);
      const a = await master('a', proxy);
      const swallowed = proxy.swallowNextReply(isTakeover);
      proxy.refuse();
      const led = a.lead();
      await swallowed;
      await observer.commit([{ kind: 'set', path, data: Buffer.from('by hand'), version: null }]);
      await proxy.accept();
      const leadership = await led;
      assert.equal((await observer.exists(paths.epoch))?.version, leadership.epoch);
      await a.write(leadership, '/written');
    });
  }
});

test('a leader whose session ends loses the lead to another, and cannot write', async (t) => {
  const { master } = await setUp(t);
  const proxy = await startFaultProxy(t, zookeeper);
  const [a, b] = [await master('a', proxy, 600), await master('b')];
  const old = await a.lead();
  const led = b.lead();
  proxy.silence();
  proxy.refuse();
  await reached(a.session, 'lost');
  const young = await led;
  assert.equal(young.epoch, old.epoch + 1);
  await assert.rejects(a.write(old, '/no'), { code: 'session_lost', outcome: 'not applied' });
});

test('many campaign at once: the epochs are those of one leader after the other', async (t) => {
  const { master } = await setUp(t);
  const masters = await Promise.all(Array.from({ length: 6 }, (_, i) => master(`m${i}`)));
  const epochs: number[] = [];
  let leading = 0;
  const terms = masters.map(async (each) => {
    const leadership = await each.lead();
    leading += 1;
    assert.equal(leading, 1);
    epochs.push(leadership.epoch);
    await each.write(leadership, `/term-${leadership.epoch}`);
    leading -= 1;
    await resign(each.session, leadership);
  });
  await Promise.all(terms);
  assert.deepEqual(epochs, [1, 2, 3, 4, 5, 6]);
});

test('a campaign ends when it is told to, and fails when its session ends', async (t) => {
  const { master } = await setUp(t);
  const [a, b, c] = [await master('a'), await master('b'), await master('c')];
  await a.lead();
  const stop = new AbortController();
  const candidate = { masterId: 'b', address: 'x:1' };
  const stopped = campaign(b.session, candidate, stop.signal);
  const closed = assert.rejects(campaign(c.session, candidate, never), { code: 'session_lost' });
  await c.session.close();
  stop.abort();
  assert.equal(await within(stopped, 'it ends'), null);
  await within(closed, 'it fails');
});
