// Goal: finished tasks go when they may and not before, with everything that belongs to them, and a queue that is full
// says so. Method: a stack whose master keeps finished tasks for no time, and one whose gateway takes few tasks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

async function names(stack: Stack, path: string): Promise<string[]> {
  const session = await stack.session;
  return (await session.getChildren(path))?.children ?? [];
}

test('a finished task goes when its retention is over, one that runs or is kept stays', async (t) => {
  const master = { MIN_RETENTION_MS: 0 };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, master });
  const kept = await stack.client.run({ type: 'echo' });
  const running = await stack.client.submit({ type: 'sleep', payload: { ms: 600_000 }, retentionMs: 0 });
  const failed = { type: 'sleep', payload: 'no', maxAttempts: 1, retentionMs: 0 };
  const gone = await Promise.all([{ type: 'echo', retentionMs: 0 }, failed].map((spec) => stack.client.submit(spec)));
  await eventually('what is over is gone', async () => (await names(stack, '/tasks')).length === 2 || null);
  assert.deepEqual((await names(stack, '/tasks')).sort(), [kept.id, running.id].sort());
  for (const { id } of gone) assert.equal((await stack.client.request('GET', `/tasks/${id}`)).status, 404);
});

test('a task can be run again as long as it is kept, and not a moment longer', async (t) => {
  const master = { MIN_RETENTION_MS: 0 };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, master });
  const failing = { type: 'sleep', payload: 'no', maxAttempts: 1, retentionMs: 1500 };
  const { id } = await stack.client.run(failing);
  const answers: number[] = [];
  const made: string[] = [];
  let refusals = 0;
  while (refusals < 5) {
    const { status, body } = await stack.client.request('POST', `/tasks/${id}/retry`);
    answers.push(status);
    if (status === 201) made.push(body.id);
    else refusals += 1;
  }
  assert.match(answers.join(' '), /^(201 )+404 404 404 404 404$/);
  assert.equal(new Set(made).size, made.length);
  await eventually('all of them have run and gone, too', async () => (await names(stack, '/tasks')).length === 0);
});

test('an idempotency key goes with its task, ten times later than a task without one', async (t) => {
  const master = { MIN_RETENTION_MS: 150 };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, master });
  const spec = { type: 'echo', retentionMs: 0, idempotencyKey: 'once' };
  const first = await stack.client.submit(spec);
  const plain = await stack.client.submit({ type: 'echo', retentionMs: 0 });
  await eventually('the plain one is gone', async () => !(await names(stack, '/tasks')).includes(plain.id) || null);
  assert.equal((await stack.client.request('POST', '/tasks', spec)).body.id, first.id);
  const keys = async () => {
    const buckets = await names(stack, '/idempotency');
    return (await Promise.all(buckets.map((bucket) => names(stack, `/idempotency/${bucket}`)))).flat();
  };
  assert.equal((await keys()).length, 1);
  await eventually('the task is gone', async () => (await names(stack, '/tasks')).length === 0 || null);
  assert.deepEqual(await keys(), []);
  assert.notEqual((await stack.client.submit(spec)).id, first.id);
});

test('of more than may be kept the oldest go first', async (t) => {
  const master = { MIN_RETENTION_MS: 0, MAX_FINISHED_TASKS: 5 };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, master });
  const ids: string[] = [];
  for (let i = 0; i < 8; i += 1) ids.push((await stack.client.run({ type: 'echo' })).id);
  await eventually('five are left', async () => (await names(stack, '/tasks')).length === 5 || null);
  assert.deepEqual((await names(stack, '/tasks')).sort(), ids.slice(3).sort());
});

test('one that cannot be removed holds up no other', async (t) => {
  const master = { MIN_RETENTION_MS: 0 };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, master });
  const session = await stack.session;
  const stuck = await stack.client.submit({ type: 'sleep', payload: { ms: 300 }, retentionMs: 0 });
  const create = (path: string) => ({ kind: 'create', path, data: Buffer.alloc(0), mode: 'persistent' }) as const;
  await session.commit([create(`/tasks/${stuck.id}/mine`), create(`/tasks/${stuck.id}/mine/too`)]);
  await stack.client.wait(stuck.id);
  for (let i = 0; i < 3; i += 1) await stack.client.submit({ type: 'echo', retentionMs: 0 });
  await eventually('the others are gone', async () => (await names(stack, '/tasks')).length === 1 || null);
  assert.deepEqual(await names(stack, '/tasks'), [stuck.id]);
});

test('too many unfinished tasks: 429 with Retry-After, and again 201 when some are done', async (t) => {
  const gateway = { MAX_UNFINISHED_TASKS: 5 };
  const stack = await startStack(t, zookeeper, { workers: 0, sessionTimeoutMs: calmSessionMs, gateway });
  const keyed = { type: 'echo', idempotencyKey: 'first' };
  const first = await stack.client.submit(keyed);
  const refused = await eventually('a refusal', async () => {
    const answer = await stack.client.request('POST', '/tasks', { type: 'echo' });
    return answer.status === 429 ? answer : null;
  });
  assert.match(refused.body.type, /\/queue-full$/);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  const repeated = await stack.client.request('POST', '/tasks', keyed);
  assert.deepEqual([repeated.status, repeated.body.id], [200, first.id], 'a repeat makes nothing and is answered');
  await stack.addWorker();
  await eventually('tasks are taken again', async () => {
    return (await stack.client.request('POST', '/tasks', { type: 'echo' })).status === 201 || null;
  });
});
