// Goal: reads of one turn share a request and nothing else: each has its own answer, the missing and the forbidden too;
// large ones are spread over several requests; and over a cut link they are asked again.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import { limits } from '../../domain/limits.ts';
import { create, openSession } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { type Frame, opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

async function proxied(t: TestContext, options = {}) {
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000, ...options });
  const requests: Frame[] = [];
  proxy.onFrame((frame) => {
    const isRead = frame.opcode === opcodes.multiRead || frame.opcode === opcodes.getData;
    if (frame.direction === 'toServer' && isRead) requests.push(frame);
  });
  return { proxy, session, requests };
}

test('what is read in one turn is one request, each with its own answer; what is read alone goes alone', async (t) => {
  const { session, requests } = await proxied(t);
  await session.commit([create('/group', 'parent'), create('/group/a', 'A'), create('/group/b')]);
  const [parent, names, a, b, missing, missingNames] = await Promise.all([
    session.getData('/group'),
    session.childNames('/group'),
    session.getData('/group/a'),
    session.getData('/group/b'),
    session.getData('/group/c'),
    session.childNames('/group/c'),
  ]);
  assert.equal(parent?.data.toString(), 'parent');
  assert.equal(parent.stat.numChildren, 2);
  assert.deepEqual(names?.sort(), ['a', 'b']);
  assert.equal(a?.data.toString(), 'A');
  assert.equal(a.stat.czxid, parent.stat.czxid);
  assert.equal(b?.data.length, 0);
  assert.equal(missing, null);
  assert.equal(missingNames, null);
  assert.deepEqual(
    requests.map(({ opcode }) => opcode),
    [opcodes.multiRead],
  );
  assert.equal((await session.getData('/group/a'))?.data.toString(), 'A');
  assert.equal(await session.getData('/group/c'), null);
  assert.deepEqual(
    requests.map(({ opcode }) => opcode),
    [opcodes.multiRead, opcodes.getData, opcodes.getData],
  );
});

test('one that may not be read is refused alone', async (t) => {
  const { session: owner } = await openSession(t, zookeeper, { digest: 'owner:secret' });
  await owner.commit([create('/closed', 'secret')]);
  const { session } = await proxied(t);
  await session.commit([create('/open', 'open')]);
  const [closed, open] = await Promise.allSettled([session.getData('/closed'), session.getData('/open')]);
  assert.ok(closed.status === 'rejected' && closed.reason instanceof CoordinationError);
  assert.equal(closed.reason.code, 'no_auth');
  assert.match(closed.reason.message, /\/closed/);
  assert.ok(open.status === 'fulfilled' && open.value?.data.toString() === 'open');
});

test('many reads are spread over requests by number, large ones by bytes', async (t) => {
  const { session, requests } = await proxied(t);
  await session.commit([create('/many'), ...Array.from({ length: 300 }, (_, i) => create(`/many/${i}`, `${i}`))]);
  const allSmall = () => Promise.all(Array.from({ length: 300 }, (_, i) => session.getData(`/many/${i}`)));
  await allSmall(); // teaches how small they are
  requests.length = 0;
  const small = await allSmall();
  assert.ok(small.every((znode, i) => znode?.data.toString() === `${i}`));
  assert.equal(requests.length, Math.ceil(300 / limits.readsPerRequestMax));

  const size = 400_000;
  for (let i = 0; i < 6; i += 1) await session.commit([create(`/many/large-${i}`, 'x'.repeat(size))]);
  const large = () => Promise.all(Array.from({ length: 6 }, (_, i) => session.getData(`/many/large-${i}`)));
  await large(); // teaches how large they are
  requests.length = 0;
  assert.ok((await large()).every((znode) => znode?.data.length === size));
  assert.equal(requests.length, 2, 'three of them are more than a megabyte');
});

test('reads whose answer was lost with the link are asked again', async (t) => {
  const { proxy, session, requests } = await proxied(t);
  await session.commit([create('/again', 'data')]);
  const lost = proxy.swallowNextReply((opcode) => opcode === opcodes.multiRead);
  const reads = Promise.all([session.getData('/again'), session.childNames('/again')]);
  await lost;
  proxy.cut();
  const [znode, names] = await reads;
  assert.equal(znode?.data.toString(), 'data');
  assert.deepEqual(names, []);
  assert.equal(requests.length, 2);
});
