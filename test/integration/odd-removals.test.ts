// Goal: what is removed by hand under everybody's feet, `/tasks` or the whole tree, is made again by whoever needs it, and the tasks
// that then have the names of the old ones are taken for those by nobody. Method: real processes, a master whose link is cut
// meanwhile, and the audit, which compares what the masters know with the tree.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pictureFindings } from '../../audit/live-pictures.ts';
import { readTree } from '../../audit/tree-reader.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type Process, type Stack, startStack } from '../support/stack.ts';
import { openSession, type TestSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
/** So that no session ends while a link is cut. */
const sessionTimeoutMs = 20_000;

/** With all below it, which may grow meanwhile. */
async function wipe(session: TestSession, path: string): Promise<void> {
  await eventually(`${path} is removed`, async () => {
    const before = (await session.exists(path))?.czxid;
    await session.removeAll(path).catch(() => undefined);
    return (await session.exists(path))?.czxid !== before;
  });
}

/** What master and tree tell differently; null where the master cannot tell yet. */
async function differences(session: TestSession, { process }: Process): Promise<string | null> {
  const address = String(process.logs.find(({ msg }) => msg === 'started')?.['admin']);
  const findings = await pictureFindings(session, address, await readTree(session));
  return findings.some(({ rule }) => rule === 'picture-missing')
    ? null
    : findings.map(({ path, what }) => `${path} ${what}`).join('\n');
}

async function untilAllKnow(stack: Stack): Promise<void> {
  const session = await stack.session;
  for (const master of stack.masters) {
    await eventually(`${master.id} knows the tree`, async () => (await differences(session, master)) === '');
  }
}

test('/tasks is removed while a master is cut off: numbers begin anew, and nothing of the old ones is told of the new', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs });
  const { client } = stack;
  const session = await stack.session;
  const cutOff = await stack.addMaster({}, true);
  const spec = { type: 'echo', payload: 'once' };
  const key = { 'idempotency-key': 'k' };
  await client.wait((await client.submit(spec, key)).id);
  const { id } = await client.submit({ type: 'nobody-has-it' });
  const nextCursor = await eventually('the list has both', async () => {
    const { body } = await client.request('GET', '/tasks?limit=1');
    return (body as unknown as { nextCursor?: string }).nextCursor;
  });
  const waited = client.request('GET', `/tasks/${id}?wait=1500ms`);
  const stream = await fetch(`${client.url}/tasks/${id}/events`);
  const streamed = stream.text().catch(() => 'broken off');
  cutOff.proxy?.refuse();
  cutOff.proxy?.cut();

  await wipe(session, '/tasks');
  await eventually('/tasks is there again', () => session.exists('/tasks'));
  const again = await client.submit(spec, key);
  await client.wait(again.id);
  const other = await client.submit({ type: 'nobody-has-it', priority: 1 });
  assert.deepEqual([again.id, other.id], ['task-0000000000', id]);
  assert.equal((await waited).status, 404);
  assert.equal(await streamed, 'broken off', 'a task that is gone has no final state to end with');
  const page = await client.request('GET', `/tasks?cursor=${nextCursor}`);
  assert.deepEqual(page.body, { tasks: [] }, 'a list that began among the old ones does not go on among the new');
  assert.equal((await client.get(id)).priority, 1);

  await cutOff.proxy?.accept();
  await untilAllKnow(stack);
  await stack.masters[0]?.process.stop();
  assert.equal(await stack.leader(), cutOff);
  assert.equal((await client.run(spec)).result, 'once');
  assert.equal((await client.get(id)).state, 'queued');
});

test('the whole chroot is removed under all of them, twice; a gateway comes first where there is none', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 0, workers: 0, gateways: 0, sessionTimeoutMs });
  const chroot = `${stack.chroot}/a/b/c`;
  const ZOOKEEPER_CONNECT = `${zookeeper.connect}${chroot}`;
  const { client } = await stack.addGateway({ ZOOKEEPER_CONNECT });
  const first = await client.submit({ type: 'echo' });
  await Promise.all([stack.addWorker({ ZOOKEEPER_CONNECT }), stack.addMaster({ ZOOKEEPER_CONNECT })]);
  await client.wait(first.id);
  const session = await openSession(t, ZOOKEEPER_CONNECT);
  const root = await openSession(t, zookeeper.connect);
  for (const path of [chroot, stack.chroot]) {
    await wipe(root, path);
    const removedAt = performance.now();
    await eventually('a task runs again', async () => {
      const { status, body } = await client.request('POST', '/tasks?wait=5s', { type: 'echo' });
      return status === 201 && body.state === 'succeeded';
    });
    t.diagnostic(`a task runs ${Math.round(performance.now() - removedAt)} ms after ${path} was removed`);
    const [master] = stack.masters as [Process];
    await eventually('its master knows the tree', async () => (await differences(session, master)) === '');
  }
});
