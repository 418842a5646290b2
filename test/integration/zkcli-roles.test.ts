// Goal: a person at the real zkCli plays each role of the system while ours play the others (contract section 1). Method:
// what is typed here is what the notes of the two roles say, character for character; ours are real processes.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { startZkCli, type ZkCli } from '../support/zkcli.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

/** zkCli 3.9 tells it of an event. */
const zxidInNewer = '(?: zxid: -?\\d+)?';

function person(t: TestContext, stack: Stack): Promise<ZkCli> {
  return startZkCli(t, stack.connect);
}

/** The name of the task that a sequential create printed. */
function createdTask(output: string): string {
  const [, id] = /Created \/tasks\/(task-\d{10})/.exec(output) ?? [];
  assert.ok(id, output);
  return id;
}

function eventsOf(cli: ZkCli): string[] {
  return [...cli.output.matchAll(/WatchedEvent state:SyncConnected type:(Node\w+) path:(\S+)/g)].map(
    ([, type, path]) => `${type} ${path}`,
  );
}

test('as a client: submits a command, is told once, reads the status', async (t) => {
  const stack = await startStack(t, zookeeper, { gateways: 0, workers: 0 });
  const cli = await person(t, stack);
  const id = createdTask(await cli.run('create -s /tasks/task- "echo hello"'));
  await cli.run(`ls -w /tasks/${id}`);
  await stack.addWorker();
  await cli.waitForOutput(new RegExp(`type:NodeChildrenChanged path:/tasks/${id}${zxidInNewer}\n`));
  assert.match(await cli.run(`ls /tasks/${id}`), /^\[status\]$/m);
  const [line] = /^\{.*\}$/m.exec(await cli.run(`get /tasks/${id}/status`)) ?? [];
  const status = JSON.parse(line ?? '');
  assert.deepEqual([status.state, status.attempt], ['succeeded', 1]);
  assert.deepEqual(status.result, { exitCode: 0, stdout: 'hello\n', stderr: '' });
  assert.deepEqual(eventsOf(cli), [`NodeChildrenChanged /tasks/${id}`]);
});

test('as a worker: registers, is given a task submitted over HTTP, writes its status', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 0 });
  const { client } = stack;
  const session = await stack.session;
  const cli = await person(t, stack);
  await cli.run('create -e /workers/worker1 "127.0.0.2:2222"');
  const early = await client.submit({ type: 'anything' });
  // Until `/assign/worker1` is there the master has nowhere to put it.
  await cli.run('create /assign/worker1 ""');
  assert.equal((await client.untilRunning(early.id)).worker, 'worker1');
  assert.match(await cli.run('ls -w /assign/worker1'), new RegExp(`^\\[${early.id}\\]$`, 'm'));
  assert.match(await cli.run(`get /tasks/${early.id}`), /"type":"anything"/);
  await cli.run(`create /tasks/${early.id}/status "done"`);
  await cli.run(`delete /assign/worker1/${early.id}`);
  const done = await client.wait(early.id);
  assert.deepEqual([done.state, done.result], ['succeeded', 'done']);

  // The next one: told by a watch, and the assignment is forgotten.
  const next = await client.submit({ type: 'shell', payload: 'whatever' });
  await cli.run('ls -w /assign/worker1');
  await client.untilRunning(next.id);
  await cli.run(`create /tasks/${next.id}/status "done again"`);
  assert.equal((await client.wait(next.id)).result, 'done again');
  await eventually('the leftover is removed', async () => !(await session.exists(`/assign/worker1/${next.id}`)));

  // One task at a time is what a person gets.
  const two = [await client.submit({ type: 'a' }), await client.submit({ type: 'b' })] as const;
  await client.untilRunning(two[0].id);
  assert.equal((await client.get(two[1].id)).state, 'queued');
  await cli.close();
  await client.until(two[0].id, 'was lost with the person', ({ attempts }) => attempts[0]?.outcome === 'lost');
});

test('as a master: holds /master and assigns with empty data, while ours wait', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 0, gateways: 1, workers: 1 });
  const { client } = stack;
  const cli = await person(t, stack);
  await cli.run('create -e /master "127.0.0.2:1111"');
  const ours = await stack.addMaster();
  const { id } = await client.submit({ type: 'shell', payload: 'echo by hand' });
  assert.match(await cli.run('ls /workers'), /^\[ours1\]$/m);
  assert.equal((await client.get(id)).state, 'queued');
  await cli.run(`create /assign/ours1/${id}`);
  const done = await client.wait(id);
  assert.deepEqual([done.state, done.worker, done.attempt], ['succeeded', 'ours1', 1]);
  assert.match(JSON.stringify(done.result), /by hand/);
  // A failed attempt is the person's to give out again; the worker finds its number from the task.
  const failing = await client.submit({ type: 'shell', payload: 'exit 1', maxAttempts: 2, backoff: { delayMs: 0 } });
  await cli.run(`create /assign/ours1/${failing.id}`);
  await client.until(failing.id, 'failed once', ({ attempts }) => attempts.length === 1);
  await cli.run(`create /assign/ours1/${failing.id}`);
  const failed = await client.wait(failing.id);
  assert.deepEqual([failed.state, failed.attempts.map(({ attempt }) => attempt)], ['failed', [1, 2]]);
  assert.equal(
    ours.process.logs.some(({ msg }) => msg === 'leading'),
    false,
  );
  await cli.close();
  await ours.process.waitForLog(/^leading$/);
  assert.equal((await client.run({ type: 'echo', payload: 'ours again' })).result, 'ours again');
});

test('as a standby: takes over when ours is killed, and ours waits until the person leaves', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 1, workers: 1 });
  const { client } = stack;
  const [first] = stack.masters;
  const cli = await person(t, stack);
  await cli.run('stat -w /master');
  first?.process.kill('SIGKILL');
  await cli.waitForOutput(new RegExp(`type:NodeDeleted path:/master${zxidInNewer}\n`));
  await cli.run('create -e /master "127.0.0.2:1111"');
  const second = await stack.addMaster();
  const { id } = await client.submit({ type: 'echo', payload: 'by the person' });
  await cli.run(`create /assign/ours1/${id}`);
  assert.equal((await client.wait(id)).result, 'by the person');
  const waiting = await client.submit({ type: 'echo', payload: 'by ours' });
  assert.equal(
    second.process.logs.some(({ msg }) => msg === 'leading'),
    false,
  );
  assert.equal((await client.get(waiting.id)).state, 'queued');
  await cli.run('delete /master');
  await second.process.waitForLog(/^leading$/);
  assert.equal((await client.wait(waiting.id)).result, 'by ours');
});
