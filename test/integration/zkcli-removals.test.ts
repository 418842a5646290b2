// Goal: what people remove from the tree is made again by those who need it, and the system goes on. Method: one stack; each
// test removes something by zkCli and waits until a task runs again.

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

/** A submit may be refused (never wrongly acknowledged) until what was removed is back. */
function aTaskRuns(): Promise<true> {
  return eventually('a task is accepted and succeeds', async () => {
    const { status, body } = await client.request('POST', '/tasks?wait=5s', { type: 'echo', payload: 'again' });
    return status === 201 && body.state === 'succeeded';
  });
}

function created(path: string): Promise<true> {
  return eventually(`${path} is there`, async () => Boolean(await session.exists(path)));
}

test('/assign/<worker>', async () => {
  const { id } = await client.submit({ type: 'sleep', payload: { ms: 60_000 } });
  const { worker } = await client.untilRunning(id);
  await cli.run(`deleteall /assign/${worker}`);
  await created(`/assign/${worker}`);
  const done = await client.until(id, 'runs again', ({ state }) => state === 'running');
  await session.create(`/tasks/${done.id}/cancel`);
  await client.wait(id);
  for (const name of ['ours1', 'ours2']) await created(`/assign/${name}`);
  await aTaskRuns();
});

test('/workers/<worker>: it registers again, and what it ran is lost and runs again', async () => {
  const { id } = await client.submit({ type: 'sleep', payload: { ms: 500 } });
  const { worker } = await client.untilRunning(id);
  await cli.run(`delete /workers/${worker}`);
  await created(`/workers/${worker}`);
  const done = await client.wait(id);
  assert.deepEqual(
    done.attempts.map(({ outcome }) => outcome),
    ['lost', 'succeeded'],
  );
  await aTaskRuns();
});

test('/master: one of ours leads again', async () => {
  await cli.run('delete /master');
  await stack.leader();
  await aTaskRuns();
});

test('/epoch: the guards of the leader fail, and one of ours leads under a new one', async () => {
  await cli.run('delete /epoch');
  await aTaskRuns();
  await cli.run('set /epoch "somebody"');
  await aTaskRuns();
});

for (const parent of ['/tasks', '/assign', '/workers']) {
  test(`${parent}, with everything below it`, async () => {
    const waiting = await client.submit({ type: 'nobody-has-it' });
    await cli.run(`deleteall ${parent}`);
    await created(parent);
    await aTaskRuns();
    if (parent === '/tasks') assert.equal((await client.request('GET', `/tasks/${waiting.id}`)).status, 404);
    else assert.equal((await client.get(waiting.id)).state, 'queued');
  });
}

test('/idempotency, with everything below it', async () => {
  const submit = (key: string) => client.request('POST', '/tasks', { type: 'echo' }, { 'idempotency-key': key });
  assert.equal((await submit('before')).status, 201);
  await cli.run('deleteall /idempotency');
  const first = await submit('after');
  const again = await submit('after');
  assert.deepEqual([first.status, again.status, again.body.id], [201, 200, first.body.id]);
});

test('everything at once', async () => {
  for (const parent of ['/workers', '/assign', '/tasks', '/epoch', '/master']) await cli.run(`deleteall ${parent}`);
  await aTaskRuns();
  const sessions = await eventually('both workers are there', async () => {
    const workers = await session.getChildren('/workers');
    return workers?.children.length === 2 && workers.children;
  });
  assert.deepEqual([...sessions].sort(), ['ours1', 'ours2']);
});
