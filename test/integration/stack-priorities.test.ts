// Goal: a task of higher priority never waits for a lower one that is not running yet, and in one priority they go first come,
// first served, over all workers and over a change of leader. Method: no clock decides. The order of the assignments is that
// of their transactions (the fencing tokens that the runs were given), and what the leader knew of, its events tell.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { openEventStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { createGate, writeHandlers } from '../support/stack-handlers.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const handlers = { HANDLERS_DIR: writeHandlers(wholeFile, ['gated']) };
const slots = 8;

/** Two masters and two workers, all of their slots taken until the gate opens. */
async function blockedStack(t: TestContext) {
  const worker = { ...handlers, WORKER_CONCURRENCY: slots / 2 };
  const options = { masters: 2, workers: 2, sessionTimeoutMs: calmSessionMs, worker };
  const stack = await startStack(t, zookeeper, options);
  const gate = createGate(t);
  for (let i = 0; i < slots; i += 1) {
    const { id } = await stack.client.submit({ type: 'gated', payload: { until: gate.path } });
    await stack.client.untilRunning(id);
  }
  return { stack, gate };
}

/** Priorities that look random and are the same each time, of few values, so that many tasks share one. */
const priorities = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => ((((i + seed) * 2_654_435_761) >>> 7) % 7) - 3);

async function submitBatch({ client }: Stack, tasks: readonly number[]): Promise<void> {
  const specs = tasks.map((priority) => ({ type: 'gated', priority }));
  const { status, body } = await client.request('POST', '/tasks/batch', { tasks: specs });
  assert.equal(status, 201, JSON.stringify(body));
}

function untilQueued({ client }: Stack, count: number): Promise<unknown> {
  return eventually('the leader knows them all', async () => {
    const { tasks } = (await client.request('GET', '/stats')).body as unknown as { tasks: { queued: number } };
    return tasks.queued === count;
  });
}

/** The transaction of the only assignment that it had. */
function assignedAt({ id, state, result, attempts }: Task): bigint {
  assert.deepEqual([state, attempts.length], ['succeeded', 1], id);
  return BigInt((result as { fencingToken: string }).fencingToken);
}

/** Names of tasks are in the order of their creation. */
const comesBefore = (a: Task, b: Task) => (a.priority === b.priority ? a.id < b.id : a.priority > b.priority);

/** All but those that held the slots. */
async function finishedTasks({ client }: Stack, ids: readonly string[]): Promise<Task[]> {
  return await Promise.all(ids.map((id) => client.wait(id)));
}

async function waitingIds(stack: Stack): Promise<string[]> {
  const listed = await (await stack.session).getChildren('/tasks');
  return (listed?.children ?? []).sort().slice(slots);
}

test('what waits is assigned in one order, whoever leads', async (t) => {
  const { stack, gate } = await blockedStack(t);
  for (const seed of [0, 100, 200]) await submitBatch(stack, priorities(100, seed));
  await Promise.all(priorities(100, 300).map((priority) => stack.client.submit({ type: 'gated', priority })));
  await untilQueued(stack, 400);
  const ids = await waitingIds(stack);
  assert.equal(ids.length, 400);
  const leader = await stack.leader();
  gate.open();
  await stack.client.wait(ids[200] ?? '');
  await leader.process.stop();
  const tasks = await finishedTasks(stack, ids);
  const inOrder = tasks.sort((a, b) => (comesBefore(a, b) ? -1 : 1)).map(assignedAt);
  assert.deepEqual(
    inOrder,
    [...inOrder].sort((a, b) => Number(a - b)),
  );
  const workers = new Set(tasks.map(({ worker }) => worker));
  assert.equal(workers.size, 2);
});

test('what comes while others run is overtaken by nothing lower that was not under way', async (t) => {
  const { stack, gate } = await blockedStack(t);
  const session = await stack.session;
  const known = new Map<string, Promise<bigint>>();
  const stream = await openEventStream(`${stack.client.url}/events`);
  t.after(() => stream.close());
  await session.create('/marks');
  /** A transaction by which the leader knew of it: its event has been told before. */
  const mark = async () => {
    const path = await session.create('/marks/mark-', '', 'sequential');
    return (await session.exists(path))?.czxid ?? 0n;
  };
  const listening = (async () => {
    for (let finals = 0; finals < 400 + slots; ) {
      const event = await stream.next();
      assert.equal(event?.event, 'task');
      if (event.data.state === 'queued') known.set(event.data.id, mark());
      if (event.data.state === 'succeeded') finals += 1;
    }
  })();
  await submitBatch(stack, priorities(200, 0));
  gate.open();
  for (let i = 0; i < 10; i += 1) {
    await Promise.all(priorities(20, 200 + 20 * i).map((priority) => stack.client.submit({ type: 'gated', priority })));
  }
  const ids = await waitingIds(stack);
  const tasks = await finishedTasks(stack, ids);
  await listening;
  const facts = await Promise.all(
    tasks.map(async (task) => ({ task, assigned: assignedAt(task), known: (await known.get(task.id)) ?? 0n })),
  );
  const overtakers = facts.map((higher) => {
    const isOvertaker = (lower: (typeof facts)[number]) =>
      comesBefore(higher.task, lower.task) && lower.assigned > higher.known && lower.assigned < higher.assigned;
    assert.ok(higher.known > 0n);
    return facts.filter(isOvertaker).length;
  });
  const waited = facts.filter(({ known, assigned }) => known < assigned).length;
  t.diagnostic(`${waited} of ${facts.length} waited; ${overtakers.filter((count) => count > 0).length} were overtaken`);
  assert.ok(waited > 100);
  // What was decided before the leader knew of it may be committed after: one for each slot at most.
  assert.ok(Math.max(...overtakers) <= slots, `${overtakers}`);
});
