// Goal: tasks that come after others run in that order, with each way of going on after a failure, whoever leads when the time
// comes; what they still wait for is kept. Method: a stack, small graphs submitted as a batch, by ids and by hand, and what the
// tasks themselves write down when they start and end.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { createGate, temporaryFolder, writeHandlers } from '../support/stack-handlers.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

async function submitBatch(stack: Stack, tasks: readonly object[]): Promise<string[]> {
  const { status, body } = await stack.client.request('POST', '/tasks/batch', { tasks });
  assert.equal(status, 201, JSON.stringify(body));
  return (body as unknown as { tasks: Task[] }).tasks.map(({ id }) => id);
}

async function unblocked(stack: Stack, id: string): Promise<boolean> {
  return (await (await stack.session).exists(`/tasks/${id}/unblocked`)) !== null;
}

/** `x failed: ...`, the message with `names` in place of ids. */
function endOf(task: Task, names: Readonly<Record<string, string>> = {}): string {
  const { code = '', message = '' } = task.error ?? {};
  const said = message.replaceAll(/task-\d+/g, (id) => names[id] ?? id);
  return `${task.state} ${code} ${said}`.trim();
}

test('a diamond in one batch runs from its first task to its last, and each is let go once', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 2, sessionTimeoutMs: calmSessionMs });
  const file = join(temporaryFolder(t), 'evidence');
  const command = (name: string, seconds: number) =>
    `echo ${name} starts >> ${file}; sleep ${seconds}; echo ${name} ends >> ${file}`;
  const shell = (name: string, after: number[], seconds = 0) => ({
    type: 'shell',
    payload: command(name, seconds),
    after,
  });
  const ids = await submitBatch(stack, [
    shell('first', [], 0.3),
    shell('left', [0], 0.1),
    shell('right', [0], 0.2),
    shell('last', [1, 2]),
  ]);
  const [first = '', left = '', right = '', last = ''] = ids;
  assert.equal((await stack.client.get(last)).state, 'scheduled');
  const tasks = await Promise.all(ids.map((id) => stack.client.wait(id)));
  assert.deepEqual(
    tasks.map((task) => endOf(task)),
    Array(4).fill('succeeded'),
  );
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['first starts', 'first ends']);
  assert.deepEqual(lines.slice(2, 6).sort(), ['left ends', 'left starts', 'right ends', 'right starts']);
  assert.deepEqual(lines.slice(6), ['last starts', 'last ends']);
  const letGo = await Promise.all([first, left, right, last].map((id) => unblocked(stack, id)));
  assert.deepEqual(letGo, [false, true, true, true]);
});

test('after a failure: failed with it, run all the same, or let go by a retry; what is waited for is kept so long', async (t) => {
  const master = { MIN_RETENTION_MS: 0, MAX_FINISHED_TASKS: 1 };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, master });
  const { client } = stack;
  const gate = createGate(t);
  const failing = { type: 'shell', payload: `test -e ${gate.path}`, maxAttempts: 1, retentionMs: 0 };
  const [first = '', fails = '', runs = '', waits = '', next = ''] = await submitBatch(stack, [
    failing,
    { type: 'echo', after: [0] },
    { type: 'echo', after: [0], afterFailure: 'run' },
    { type: 'echo', after: [0], afterFailure: 'wait', retentionMs: 600_000 },
    { type: 'echo', after: [3], afterFailure: 'wait' },
  ]);
  const names = { [first]: 'first' };
  assert.equal(endOf(await client.wait(fails), names), 'failed dependency_failed it comes after first, which failed');
  assert.equal((await client.wait(runs)).state, 'succeeded');
  const { id: second } = await client.submit({ type: 'echo', after: [first] });
  assert.equal((await client.wait(second)).error?.code, 'dependency_failed', 'it had failed already');
  const others = await submitBatch(stack, Array(3).fill({ type: 'echo', retentionMs: 0 }));
  const session = await stack.session;
  await eventually('those that nobody waits for are gone', async () => {
    const kept = (await session.getChildren('/tasks'))?.children ?? [];
    return others.every((id) => !kept.includes(id));
  });
  assert.deepEqual([(await client.get(first)).state, (await client.get(waits)).state], ['failed', 'scheduled']);
  gate.open();
  const retried = await client.request('POST', `/tasks/${first}/retry`);
  assert.equal(retried.status, 201, JSON.stringify(retried.body));
  for (const id of [waits, next]) await eventually(`${id} is let go`, () => unblocked(stack, id));
  await eventually('what nobody waits for any more goes', async () => {
    const kept = (await session.getChildren('/tasks'))?.children ?? [];
    return !kept.includes(first) && !kept.includes(retried.body.id);
  });
});

test('a graph that failed is retried member by member, the last one first, and runs in its order', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const { client } = stack;
  const gate = createGate(t);
  const file = join(temporaryFolder(t), 'evidence');
  const shell = (name: string, after: number[]) => ({ type: 'shell', payload: `echo ${name} >> ${file}`, after });
  const ids = await submitBatch(stack, [
    { type: 'shell', payload: `test -e ${gate.path} && echo fetch >> ${file}`, maxAttempts: 1 },
    shell('resize', [0]),
    shell('publish', [0, 1]),
  ]);
  const [fetch = '', resize = '', publish = ''] = ids;
  const names = { [fetch]: 'fetch', [resize]: 'resize' };
  const failed = 'failed dependency_failed it comes after';
  assert.equal(endOf(await client.wait(resize), names), `${failed} fetch, which failed`);
  assert.equal(endOf(await client.wait(publish), names), `${failed} fetch, which failed`);
  const key = { 'Idempotency-Key': 'publish again' };
  const retry = (id: string, headers = {}) => client.request('POST', `/tasks/${id}/retry`, undefined, headers);
  const last = (await retry(publish, key)).body;
  const { after, afterFailure, retryOf, state } = last as unknown as Record<string, unknown>;
  assert.deepEqual(
    { after, afterFailure, retryOf, state },
    {
      ...{ after: [fetch, resize], afterFailure: 'wait', retryOf: publish, state: 'scheduled' },
    },
  );
  const middle = (await retry(resize)).body;
  gate.open();
  const first = (await retry(fetch)).body;
  for (const { id } of [first, middle, last]) assert.equal((await client.wait(id)).state, 'succeeded');
  assert.deepEqual(readFileSync(file, 'utf8').trim().split('\n'), ['fetch', 'resize', 'publish']);
  for (const id of [fetch, resize]) assert.equal((await client.request('DELETE', `/tasks/${id}`)).status, 204);
  const again = await retry(publish, key);
  assert.deepEqual([again.status, again.body.id], [200, last.id], 'the key knows it, whatever is gone by now');
  const { status, body } = await retry(publish);
  assert.deepEqual([status, body.type.split('/').at(-1)], [409, 'dependency-not-found']);
});

test('one that is cancelled or gone did not succeed; a task that waits can be cancelled', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 0, sessionTimeoutMs: calmSessionMs });
  const { client } = stack;
  const [before = '', other = '', afterBoth = '', afterOther = '', cancelled = ''] = await submitBatch(stack, [
    { type: 'echo' },
    { type: 'echo' },
    { type: 'echo', after: [0, 1] },
    { type: 'echo', after: [1], afterFailure: 'wait' },
    { type: 'echo', after: [0] },
  ]);
  const names = { [before]: 'before', [other]: 'other' };
  await client.request('POST', `/tasks/${cancelled}/cancel`);
  assert.equal((await client.wait(cancelled)).state, 'cancelled');
  await (await stack.session).removeAll(`/tasks/${other}`);
  assert.equal(
    endOf(await client.wait(afterOther), names),
    'failed dependency_failed it comes after other, which is gone',
  );
  assert.equal(
    endOf(await client.wait(afterBoth), names),
    'failed dependency_failed it comes after other, which is gone',
  );
  const { id } = await client.submit({ type: 'echo', after: [before] });
  await client.request('POST', `/tasks/${before}/cancel`);
  assert.equal(
    endOf(await client.wait(id), names),
    'failed dependency_failed it comes after before, which was cancelled',
  );
});

test('by hand: let go before its time, one that comes after itself, and one that comes after what is still to come', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const session = await stack.session;
  const byHand = async (after: readonly string[]) => {
    const path = await session.create('/tasks/task-', JSON.stringify({ v: 1, type: 'echo', after }), 'sequential');
    return path.slice('/tasks/'.length);
  };
  const own = await byHand(['task-0000000000']);
  assert.equal(own, 'task-0000000000');
  const early = await byHand(['task-0000000002']);
  const { id: blocked } = await stack.client.submit({ type: 'echo', after: [own] });
  assert.equal((await stack.client.run({ type: 'echo' })).state, 'succeeded', 'others go on');
  assert.deepEqual(await Promise.all([own, early, blocked].map(async (id) => (await stack.client.get(id)).state)), [
    ...['scheduled', 'scheduled', 'scheduled'],
  ]);
  await session.create(`/tasks/${own}/unblocked`);
  for (const id of [own, blocked, early]) assert.equal((await stack.client.wait(id)).state, 'succeeded');
});

test('the leader dies between the end of a task and the next: the one that comes then lets it go', async (t) => {
  const handlers = { HANDLERS_DIR: writeHandlers(t, ['gated']) };
  const stack = await startStack(t, zookeeper, { worker: handlers });
  const gate = createGate(t);
  const [first = '', last = ''] = await submitBatch(stack, [
    { type: 'gated', payload: { until: gate.path } },
    { type: 'echo', after: [0] },
  ]);
  await stack.client.untilRunning(first);
  (await stack.leader()).process.kill('SIGKILL');
  gate.open();
  assert.equal((await stack.client.wait(first)).state, 'succeeded');
  assert.equal(await unblocked(stack, last), false);
  await stack.addMaster();
  assert.equal((await stack.client.wait(last)).state, 'succeeded');
});

test('a chain of 1000 fails from its first task to its last', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const chain = Array.from({ length: 1000 }, (_, i) =>
    i === 0 ? { type: 'shell', payload: 'sleep 0.5; exit 1', maxAttempts: 1 } : { type: 'echo', after: [i - 1] },
  );
  const ids = await submitBatch(stack, chain);
  await stack.client.wait(ids[0] ?? '');
  const startedAt = performance.now();
  const last = await stack.client.wait(ids[999] ?? '', 60_000);
  t.diagnostic(`1000 tasks failed one after the other in ${Math.round(performance.now() - startedAt)} ms`);
  assert.equal(endOf(last), `failed dependency_failed it comes after ${ids[998]}, which failed`);
});
