// Goal: a znode that masters may not read makes no violation of a healthy system, neither while it is there nor when it is gone. Servers
// tell nobody of changes to what one may not read (those with the mending of CVE-2024-23944: Debian's, and from 3.8.4 and 3.9.2 on), so one
// master never hears that it came, and another never that it went. Method: two real masters, the second of which starts, and so
// lists everything, while the znodes are there. So it is with what else masters leave alone: ephemeral tasks, records of a newer version.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { mastersToAsk, pictureFindings } from '../../audit/live-pictures.ts';
import { readTree } from '../../audit/tree-reader.ts';
import { openSession } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { startZkCli } from '../support/zkcli.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { assignment, task } from '../unit/audit/forged-tree.ts';

const zookeeper = await startZooKeeper(wholeFile);

/** What is said of the pictures of all masters, one after the other. */
async function told(t: TestContext, { chroot }: Stack, standby: string): Promise<string[]> {
  const { session } = await openSession(t, zookeeper, { chroot, sessionTimeoutMs: 30_000 });
  await session.sync('/');
  const tree = await readTree(session);
  const masters = mastersToAsk([standby], tree);
  assert.equal(masters.length, 2);
  const findings = await Promise.all(masters.map((address) => pictureFindings(session, address, tree)));
  await session.close();
  return findings.flat().map(({ rule, path, what }) => `${rule} ${path} ${what}`);
}

test('hidden znodes that came unseen, and went unseen, are no violation', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const { id } = await stack.client.submit({ type: 'nobody-has-it' });
  const digest = 'somebody:else';
  const { session } = await openSession(t, zookeeper, { chroot: stack.chroot, digest, sessionTimeoutMs: 30_000 });
  const cancel = { path: `/tasks/${id}/cancel`, data: Buffer.from(''), mode: 'persistent' } as const;
  const hidden = [
    { path: '/tasks/task-0000000077', data: task(), mode: 'persistent' },
    { path: '/workers/theirs', data: Buffer.from('127.0.0.1:1'), mode: 'ephemeral' },
    { path: '/assign/ours1/task-0000000078', data: assignment(), mode: 'persistent' },
  ] as const;
  for (const each of [cancel, ...hidden]) await session.commit([{ kind: 'create', ...each }]);
  const { process } = await stack.addMaster();
  const standby = String((await process.waitForLog(/^started$/))['admin']);
  assert.deepEqual(await told(t, stack, standby), []);
  // Nobody removes the request alone, hidden or not.
  for (const { path } of hidden) await session.commit([{ kind: 'remove', path, version: null }]);
  assert.deepEqual(await told(t, stack, standby), []);
  // Everybody may read it, and masters know that it can have no end.
  const ephemeral = { path: '/tasks/task-0000000079', data: task(), mode: 'ephemeral' } as const;
  await (await stack.session).commit([{ kind: 'create', ...ephemeral }]);
  assert.deepEqual(await told(t, stack, standby), []);
});

test('deleteall of /tasks stops at a hidden task; delete removes that one, as the pages say', async (t) => {
  const { session } = await openSession(t, zookeeper, { sessionTimeoutMs: 30_000, digest: 'somebody:else' });
  const { session: ours } = await openSession(t, zookeeper, { sessionTimeoutMs: 30_000 });
  for (const path of ['/here', '/here/tasks', '/here/tasks/task-0000000001', '/here/tasks/task-0000000003']) {
    await ours.commit([{ kind: 'create', path, data: task(), mode: 'persistent' }]);
  }
  const hidden = '/here/tasks/task-0000000002';
  await session.commit([{ kind: 'create', path: hidden, data: task(), mode: 'persistent' }]);
  const cli = await startZkCli(t, `${zookeeper.connect}/here`);
  const printed = await cli.run('deleteall /tasks');
  assert.match(printed, /Insufficient permission|NoAuth/);
  assert.ok(await ours.exists(hidden));
  await cli.run('delete /tasks/task-0000000002');
  await cli.run('deleteall /tasks');
  assert.equal(await ours.exists('/here/tasks'), null, printed);
});

test('records of a newer version, which masters leave alone, are no violation', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2, sessionTimeoutMs: calmSessionMs });
  const standby = String((await (await stack.standby()).process.waitForLog(/^started$/))['admin']);
  const session = await stack.session;
  const data = Buffer.from('{"v":2,"state":"paused"}');
  const newer = (path: string) => session.commit([{ kind: 'create', path, data, mode: 'persistent' }]);
  for (const part of ['status', 'attempt-1']) {
    const { id } = await stack.client.submit({ type: 'nobody-has-it' });
    await newer(`/tasks/${id}/${part}`);
  }
  const { id } = await stack.client.submit({ type: 'nobody-has-it' });
  await newer(`/assign/ours1/${id}`);
  await newer('/tasks/task-0000000080');
  assert.deepEqual(await told(t, stack, standby), []);
});
