// Goal: tasks of one exclusive key never run at the same time and run in the order of their submission, whatever else differs,
// on several workers, while leaders and workers are killed. Method: shell tasks that write into one file when they start and
// when they end.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { createGate, temporaryFolder } from '../support/stack-handlers.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const count = 50;

/** What the tasks of one key write down. */
class Evidence {
  readonly #file: string;

  constructor(t: TestContext) {
    this.#file = join(temporaryFolder(t), 'evidence');
  }

  task(ms: number): { type: string; payload: string } {
    const line = (what: string) => `echo ${what} $TASKKEEPER_TASK_ID >> ${this.#file}`;
    return { type: 'shell', payload: `${line('start')}; sleep ${ms / 1000}; ${line('end')}` };
  }

  get lines(): string[] {
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8').trim().split('\n') : [];
  }

  /** Tasks in the order in which they ran; a run that was killed may have no end. */
  ran(): string[] {
    const order: string[] = [];
    for (const line of this.lines) {
      const [what, id = ''] = line.split(' ');
      if (what === 'end') assert.equal(id, order.at(-1), `another ran when ${id} ended`);
      else if (order.at(-1) !== id) order.push(id);
    }
    return order;
  }

  async more(lines: number): Promise<void> {
    const before = this.lines.length;
    await eventually(`${lines} more lines`, () => this.lines.length >= before + lines);
  }
}

/** With one key, in one batch, of different queues and priorities. */
async function submitAll(stack: Stack, task: object): Promise<string[]> {
  const tasks = Array.from({ length: count }, (_, i) => ({
    ...{ ...task, exclusiveKey: 'account 7', queue: `q${i % 3}`, priority: (i * 7) % 10 },
  }));
  const { status, body } = await stack.client.request('POST', '/tasks/batch', { tasks });
  assert.equal(status, 201, JSON.stringify(body));
  return (body as unknown as { tasks: Task[] }).tasks.map(({ id }) => id);
}

async function allSucceeded(stack: Stack, ids: readonly string[]): Promise<void> {
  const tasks = await Promise.all(ids.map((id) => stack.client.wait(id, 60_000)));
  assert.deepEqual([...new Set(tasks.map(({ state }) => state))], ['succeeded']);
}

test('50 tasks of one key over three workers: one at a time, in the order of submission; others pass them', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 3, sessionTimeoutMs: calmSessionMs });
  const evidence = new Evidence(t);
  const ids = await submitAll(stack, evidence.task(20));
  const other = await stack.client.run({ type: 'echo', exclusiveKey: 'account 8', priority: -100 });
  const [last = ''] = ids.slice(-1);
  assert.deepEqual([other.state, (await stack.client.get(last)).state], ['succeeded', 'queued']);
  const startedAt = performance.now();
  await allSucceeded(stack, ids);
  t.diagnostic(`the rest of ${count} tasks of 20 ms each took ${Math.round(performance.now() - startedAt)} ms`);
  assert.deepEqual(evidence.ran(), ids);
  assert.equal(evidence.lines.length, 2 * count);
});

test('the same while the leading master is killed, twice', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2, workers: 3 });
  const evidence = new Evidence(t);
  const ids = await submitAll(stack, evidence.task(60));
  for (let kills = 0; kills < 2; kills += 1) {
    await evidence.more(10);
    const leader = await stack.leader();
    leader.process.kill('SIGKILL');
    await stack.addMaster();
    await eventually('another leads', async () => (await stack.leader()) !== leader);
  }
  await allSucceeded(stack, ids);
  assert.deepEqual(evidence.ran(), ids);
  assert.equal(evidence.lines.length, 2 * count);
});

test('the same while a worker is killed: its task has the key until another has run it', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 2 });
  const evidence = new Evidence(t);
  const ids = await submitAll(stack, evidence.task(60));
  await evidence.more(10);
  const running = await eventually('one of them runs', async () => {
    const tasks = await Promise.all(ids.map((id) => stack.client.get(id)));
    return tasks.find(({ state }) => state === 'running');
  });
  stack.worker(running.worker).process.kill('SIGKILL');
  await allSucceeded(stack, ids);
  assert.deepEqual(evidence.ran(), ids);
});

test('a cancelled run that its worker does not give back keeps the key until it is taken away by force', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 0, sessionTimeoutMs: calmSessionMs });
  const session = await stack.session;
  await session.create('/workers/deaf', '{"address":"nowhere:1","concurrency":5}', 'ephemeral');
  await session.create('/assign/deaf');
  const task = { type: 'echo', exclusiveKey: 'k' };
  const [held, next] = [await stack.client.submit(task), await stack.client.submit(task)];
  await stack.client.untilRunning(held.id);
  await stack.client.request('POST', `/tasks/${held.id}/cancel`);
  await eventually('it is marked', async () => {
    const assignment = await session.getData(`/assign/deaf/${held.id}`);
    return assignment?.data.toString().includes('cancelled');
  });
  assert.equal((await stack.client.get(next.id)).state, 'queued');
  assert.equal((await stack.client.wait(held.id)).state, 'cancelled');
  await stack.client.untilRunning(next.id);
  const [end, start] = [`/tasks/${held.id}/status`, `/assign/deaf/${next.id}`].map((path) => session.exists(path));
  assert.ok(((await end)?.czxid ?? 0n) < ((await start)?.czxid ?? 0n));
});

test('a task that waits for a retry lets the retry go before it, with the same key', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const { client } = stack;
  const gate = createGate(t);
  const key = { exclusiveKey: 'k' };
  const failing = { type: 'shell', payload: `test -e ${gate.path}`, maxAttempts: 1, ...key };
  const first = await client.submit(failing);
  const waiting = await client.submit({ type: 'echo', after: [first.id], afterFailure: 'wait', ...key });
  const afterIt = await client.submit({ type: 'echo', after: [waiting.id], ...key });
  assert.equal((await client.wait(first.id)).state, 'failed');
  const later = await client.run({ type: 'echo', ...key });
  assert.deepEqual([later.state, (await client.get(waiting.id)).state], ['succeeded', 'scheduled']);
  gate.open();
  const { body: retry } = await client.request('POST', `/tasks/${first.id}/retry`);
  for (const { id } of [retry, waiting, afterIt]) assert.equal((await client.wait(id)).state, 'succeeded');
});
