// Goal: nonsense that people leave in the tree is stepped around: nothing crashes and no other task waits for it. Method: one
// stack of real processes; each test leaves something behind by zkCli or by a client of its own, then runs a task over
// HTTP, and sees what became of the nonsense.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZkCli } from '../support/zkcli.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, { masters: 2, workers: 2, sessionTimeoutMs: calmSessionMs });
const { client } = stack;
const session = await stack.session;
const cli = await startZkCli(wholeFile, stack.connect);

/** Another task of another client, as if nothing had happened. */
async function othersGoOn(): Promise<void> {
  assert.equal((await client.run({ type: 'echo', payload: 'others' })).result, 'others');
}

function gone(path: string): Promise<true> {
  return eventually(`${path} is gone`, async () => !(await session.exists(path)));
}

test('names that are no tasks are left alone', async () => {
  for (const name of ['hello', 'task-', 'task-abc', 'task-1', 'Task-0000000001', 'task-0000000001x']) {
    await cli.run(`create /tasks/${name} "echo hello"`);
  }
  await cli.run('create /tasks/hello/status "x"');
  await cli.run('create /assign/hello');
  await cli.run('create /assign/hello/world "x"');
  await cli.run('create /workers/ours1/child');
  await othersGoOn();
  assert.equal(await session.exists('/tasks/task-abc/status'), null);
  assert.equal((await client.request('GET', '/tasks/task-abc')).status, 404);
});

test('text that begins like JSON and is none of ours ends as failed, invalid_task', async () => {
  for (const data of ['{"a":', '{"a":1}', '{"v":1}', '{"v":1,"type":"no/name"}', '{"v":0,"type":"echo"}', '{}']) {
    const path = await session.create('/tasks/task-', data, 'sequential');
    const done = await client.wait(path.slice('/tasks/'.length));
    assert.deepEqual([data, done.state, done.error?.code], [data, 'failed', 'invalid_task']);
  }
  await othersGoOn();
});

test('a record of a newer version is left alone; text that is no object is a command', async () => {
  const newer = await session.create('/tasks/task-', '{"v":2,"type":"echo"}', 'sequential');
  for (const [data, state] of [
    ['[ 1 = 1 ]', 'succeeded'],
    ['"true"', 'succeeded'],
    ['', 'succeeded'],
    ['   ', 'succeeded'],
  ] as const) {
    const path = await session.create('/tasks/task-', data, 'sequential');
    const done = await client.wait(path.slice('/tasks/'.length));
    assert.deepEqual([data, done.type, done.state], [data, 'shell', state]);
  }
  assert.equal((await session.exists(newer))?.numChildren, 0);
});

test('a task of 900 KB', async () => {
  const path = await session.create('/tasks/task-', Buffer.alloc(900 * 1024, 'x'), 'sequential');
  const done = await client.wait(path.slice('/tasks/'.length));
  assert.deepEqual([done.state, done.error?.code], ['failed', 'invalid_task']);
  // The same with a worker of ours, to which a person assigns it.
  const cancelled = await session.create('/tasks/task-', Buffer.alloc(900 * 1024, '{'), 'sequential');
  await client.wait(cancelled.slice('/tasks/'.length));
  await othersGoOn();
});

test('an assignment for nobody: the attempt is recorded as lost and somebody else runs it', async () => {
  const { id } = await client.submit({ type: 'echo', delayMs: 3_600_000 });
  await cli.run('create /assign/ghost');
  await cli.run(`create /assign/ghost/${id}`);
  await cli.run('create /assign/ghost/task-0123456789');
  await gone(`/assign/ghost/${id}`);
  await gone('/assign/ghost/task-0123456789');
  const done = await client.wait(id);
  assert.deepEqual([done.state, done.attempts[0]?.outcome, done.attempts[0]?.worker], ['succeeded', 'lost', 'ghost']);
});

test('an empty /workers/x, a persistent /workers/y, and nonsense as a worker get nothing', async () => {
  await cli.run('create -e /workers/x');
  await cli.run('create /workers/y "127.0.0.1:1"');
  await cli.run('create -e /workers/z {"address":"a:1","concurrency":-5,"types":7}');
  for (const name of ['x', 'y', 'z']) await cli.run(`create /assign/${name}`);
  const done = await Promise.all(Array.from({ length: 40 }, () => client.run({ type: 'echo' })));
  assert.deepEqual([...new Set(done.map(({ worker }) => worker))].sort(), ['ours1', 'ours2']);
});

test('a task that is deleted while it waits, and while it runs', async () => {
  const waiting = await client.submit({ type: 'nobody-has-it' });
  await cli.run(`deleteall /tasks/${waiting.id}`);
  const running = await client.submit({ type: 'shell', payload: 'sleep 1000' });
  const { worker } = await client.untilRunning(running.id);
  await cli.run(`deleteall /tasks/${running.id}`);
  await gone(`/assign/${worker}/${running.id}`);
  for (const { id } of [waiting, running]) assert.equal((await client.request('GET', `/tasks/${id}`)).status, 404);
  await othersGoOn();
});

test('an assignment that is removed by hand ends its run, and the task runs again', async () => {
  const { id } = await client.submit({ type: 'sleep', payload: { ms: 300 } });
  const { worker } = await client.untilRunning(id);
  await cli.run(`delete /assign/${worker}/${id}`);
  assert.equal((await client.wait(id)).state, 'succeeded');
});

test('assignments with nonsense as data are runs all the same', async () => {
  for (const data of ['nonsense', '{"attempt":-3,"withdraw":7}', '[]']) {
    const { id } = await client.submit({ type: 'echo', payload: data, delayMs: 3_600_000 });
    await session.create(`/assign/ours1/${id}`, data);
    const done = await client.wait(id);
    assert.deepEqual([done.state, done.result, done.worker], ['succeeded', data, 'ours1']);
  }
});

test('more than the slots of a worker, assigned by hand: they wait in order', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 40; i++) ids.push((await client.submit({ type: 'echo', delayMs: 3_600_000 })).id);
  await Promise.all(ids.map((id) => session.create(`/assign/ours2/${id}`)));
  for (const id of ids) assert.equal((await client.wait(id)).worker, 'ours2');
});

test('an ephemeral task, which can have no end, is never begun', async () => {
  const printed = await cli.run('create -s -e /tasks/task- {"v":1,"type":"echo"}');
  const [, id = ''] = /Created \/tasks\/(task-\d{10})/.exec(printed) ?? [];
  const explained = await eventually('a master has seen it', async () => {
    const { body } = await client.request('GET', `/tasks/${id}/explain`);
    const { message } = body as unknown as { message: string };
    return !message.includes('not read the task yet') && message;
  });
  assert.match(explained, /ephemeral.* create it again without -e/);
  await othersGoOn();
  for (const worker of ['ours1', 'ours2']) assert.equal(await session.exists(`/assign/${worker}/${id}`), null);
  const { process: leader } = await stack.leader();
  assert.equal(leader.logs.filter(({ path }) => path === `/tasks/${id}`).length, 1);
});
