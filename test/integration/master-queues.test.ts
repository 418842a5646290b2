// Goal: what is set of a queue holds in the whole system: a paused one starts nothing, no more than its concurrency runs at any
// moment, also while the leader is killed, and its rate is kept; the key of a batch lives as long as one of its tasks.
// Method: a stack with sleeping tasks, and the record of what ran when, which the tasks themselves leave.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyPaths } from '../../coordination/key-paths.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, type Stack, stackSessionMs, startStack } from '../support/stack.ts';
import type { TestSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

async function put(stack: Stack, queue: string, settings: object): Promise<void> {
  const { status, body } = await stack.client.request('PUT', `/queues/${queue}`, settings);
  assert.equal(status, 200, JSON.stringify(body));
}

/** Follows `/assign` through a session of the test's own: the most assignments of these tasks that there were at one moment. */
class Assignments {
  readonly #present = new Set<string>();
  /** In order of their appearance. */
  readonly tasks: string[] = [];
  most = 0;

  static async follow(session: TestSession): Promise<Assignments> {
    const followed = new Assignments();
    await session.watchRecursively('/assign', (path, change) => {
      if (path.split('/').length === 4) followed.#note(path, change);
    });
    return followed;
  }

  #note(path: string, change: 'created' | 'removed' | 'changed'): void {
    if (change === 'removed') this.#present.delete(path);
    if (change !== 'created') return;
    this.#present.add(path);
    this.tasks.push(path.slice(path.lastIndexOf('/') + 1));
    this.most = Math.max(this.most, this.#present.size);
  }
}

function sleepers(stack: Stack, queue: string, count: number, ms: number): Promise<string[]> {
  const submit = async () => (await stack.client.submit({ type: 'sleep', payload: { ms }, queue })).id;
  return Promise.all(Array.from({ length: count }, submit));
}

async function allDone(stack: Stack, ids: readonly string[]): Promise<void> {
  const tasks = await Promise.all(ids.map((id) => stack.client.wait(id)));
  assert.deepEqual([...new Set(tasks.map(({ state }) => state))], ['succeeded']);
}

test('a paused queue starts nothing until it goes on, and holds up no other', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  await put(stack, 'p', { paused: true });
  const paused = await sleepers(stack, 'p', 5, 1);
  const others = await sleepers(stack, 'q', 5, 1);
  await allDone(stack, others);
  for (const id of paused) assert.equal((await stack.client.get(id)).state, 'queued');
  await put(stack, 'p', { paused: false });
  await allDone(stack, paused);
});

test('settings that nobody can read pause the queue for a master that has just started, until they are mended', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 0, sessionTimeoutMs: calmSessionMs });
  const session = await stack.session;
  await session.create('/queues/p', '{paused:true}');
  const master = await stack.addMaster();
  const [id = ''] = await sleepers(stack, 'p', 1, 1);
  await allDone(stack, await sleepers(stack, 'q', 1, 1));
  assert.equal((await stack.client.get(id)).state, 'queued');
  const { queues } = (await stack.client.request('GET', '/queues')).body as unknown as { queues: { name: string }[] };
  const { paused } = queues.find(({ name }) => name === 'p') as unknown as { paused: boolean };
  const told = master.process.logs.filter((line) => line['path'] === '/queues/p').map(({ msg }) => msg);
  assert.deepEqual([paused, told.length], [true, 1]);
  const settings = { paused: false, concurrency: null, ratePerSecond: null, burst: null, maxQueued: null };
  await put(stack, 'p', settings);
  await allDone(stack, [id]);
});

test('no more than its concurrency runs of a queue, higher priority first, and lifted all run', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 2, sessionTimeoutMs: calmSessionMs });
  await put(stack, 'p', { concurrency: 3 });
  const followed = await Assignments.follow(await stack.session);
  const ids = await sleepers(stack, 'p', 20, 50);
  const { id: urgent } = await stack.client.submit({ type: 'echo', queue: 'p', priority: 9 });
  await allDone(stack, [...ids, urgent]);
  assert.equal(followed.most, 3);
  assert.ok(followed.tasks.indexOf(urgent) < 15, 'it went past those that waited');
  await put(stack, 'p', { concurrency: null });
  const all = await sleepers(stack, 'p', 20, 600_000);
  await eventually('all of them run', () => all.every((id) => followed.tasks.includes(id)));
});

test('the concurrency is exact while leaders are killed', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2, workers: 2 });
  await put(stack, 'p', { concurrency: 4 });
  const followed = await Assignments.follow(await stack.session);
  const ids: string[] = [];
  for (let kills = 0; kills < 3; kills += 1) {
    const leader = await stack.leader();
    const before = followed.tasks.length;
    ids.push(...(await sleepers(stack, 'p', 60, 100)));
    await eventually('some have begun', () => followed.tasks.length >= before + 10);
    leader.process.kill('SIGKILL');
    await stack.addMaster();
    await eventually('another leads', async () => (await stack.leader()) !== leader);
  }
  await allDone(stack, ids);
  assert.equal(followed.most, 4);
  assert.equal(new Set(followed.tasks).size, ids.length);
});

test('a rate is kept after its burst, also by the next leader and by the one after it', async (t) => {
  const options = { worker: { WORKER_CONCURRENCY: 64 }, master: { ZOOKEEPER_SESSION_TIMEOUT_MS: stackSessionMs } };
  const stack = await startStack(t, zookeeper, { masters: 3, sessionTimeoutMs: calmSessionMs, ...options });
  const [count, ratePerSecond, burst] = [60, 20, 5];
  await put(stack, 'p', { ratePerSecond, burst });
  const ids = await sleepers(stack, 'p', count, 600_000);
  const started = async () => ((await (await stack.session).getChildren('/assign/ours1'))?.children ?? []).length;
  for (const [at, signal] of [[20, 'SIGTERM'] as const, [40, 'SIGKILL'] as const]) {
    await eventually(`${at} have begun`, async () => (await started()) >= at);
    (await stack.leader()).process.kill(signal);
  }
  await eventually('all have begun', async () => (await started()) === count);
  const times = (await decisionTimes(await stack.session, ids)).sort((a, b) => a - b);
  const took = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const leastMs = ((count - burst - 1) * 1000) / ratePerSecond;
  t.diagnostic(`${count} tasks in ${took} ms at ${ratePerSecond} a second after ${burst}: ${leastMs} ms at least`);
  assert.ok(took >= leastMs && took < leastMs + 10_000, `${took} ms`);
  for (const [i, from] of times.entries()) {
    for (const [j, to] of times.entries()) {
      // A standby sees a start a moment after it was decided; that is worth one at most.
      const allowed = burst + ((to - from) * ratePerSecond) / 1000 + 1;
      assert.ok(j - i + 1 <= allowed || j < i, `${j - i + 1} within ${to - from} ms`);
    }
  }
});

/** When a master decided to give each of them to the worker. */
async function decisionTimes(session: TestSession, ids: readonly string[]): Promise<number[]> {
  const read = async (id: string) => {
    const assignment = await session.getData(`/assign/ours1/${id}`);
    return Date.parse((JSON.parse(assignment?.data.toString() ?? '{}') as { startedAt: string }).startedAt);
  };
  return await Promise.all(ids.map(read));
}

test('a batch with a key is found again as long as one of its tasks is kept', async (t) => {
  const master = { MIN_RETENTION_MS: 20 };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, master });
  const session = await stack.session;
  const quick = { type: 'echo', retentionMs: 0 };
  const body = {
    tasks: [quick, quick, { type: 'sleep', payload: { ms: 600_000 }, retentionMs: 0 }],
    idempotencyKey: 'b',
  };
  const submit = async () => {
    const { status, body: answer } = await stack.client.request('POST', '/tasks/batch', body);
    return { status, ids: (answer as unknown as { tasks: { id: string }[] }).tasks.map(({ id }) => id) };
  };
  const first = await submit();
  assert.deepEqual([first.status, first.ids.length], [201, 3]);
  const last = first.ids[2];
  const names = async () => (await session.getChildren('/tasks'))?.children.sort() ?? [];
  await eventually('those that may go have gone', async () => (await names()).length === 1);
  const again = await submit();
  assert.deepEqual([again.status, again.ids], [200, [last]]);
  const key = keyPaths('b').path;
  assert.ok(await session.exists(key));
  await stack.client.request('POST', `/tasks/${last}/cancel`);
  await eventually('all of them are gone', async () => (await names()).length === 0);
  await eventually('their key too', async () => (await session.exists(key)) === null);
  assert.equal((await submit()).status, 201);
});
