// Goal: the leading master's index is the tree: its lists and counts are what a fresh read finds after any run, its events are
// the lives that tasks had; and whoever leads answers, nobody else. Method: real masters on a real ZooKeeper, a run by chance,
// then everything read and compared; leaders killed, stopped and frozen while they are asked.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { AssignmentDirectory } from '../../coordination/assignment-directory.ts';
import { TaskReader } from '../../coordination/task-reader.ts';
import type { EventLine, IndexedTasks, QueueView, StatsView, TaskEvent } from '../../domain/master-index.ts';
import { indexPaths } from '../../domain/master-index.ts';
import { finalStates, type TaskId, type TaskState } from '../../domain/task.ts';
import { type TaskView, taskView } from '../../domain/task-view.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, type Process, type Stack, startStack } from '../support/stack.ts';
import type { TestSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

function adminOf({ process }: Process): string {
  const line = process.logs.find(({ msg }) => msg === 'started');
  return `http://${line?.['admin']}`;
}

async function ask<T>(master: Process, path: string): Promise<T> {
  const response = await fetch(adminOf(master) + path);
  assert.equal(response.status, 200, path);
  return (await response.json()) as T;
}

/** Ids, newest first, `limit` to a page. */
async function listAll(master: Process, query: Record<string, string>, limit = 7): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | null = null; ; ) {
    const parameters = new URLSearchParams({ ...query, limit: String(limit), ...(after !== null && { after }) });
    const page: IndexedTasks = await ask<IndexedTasks>(master, `${indexPaths.tasks}?${parameters}`);
    ids.push(...page.tasks.map(({ id }) => id));
    if (page.next === null) return ids;
    after = page.next;
  }
}

/** Everything that there is, newest first, read from the tree. */
async function readAll(session: TestSession): Promise<TaskView[]> {
  const directory = new AssignmentDirectory(session);
  await directory.follow();
  const reader = new TaskReader(session, directory);
  const names = ((await session.getChildren('/tasks'))?.children ?? []).filter((name) => name.startsWith('task-'));
  const placed = await Promise.all(
    names.map(async (name) => {
      const stat = await session.exists(`/tasks/${name}`);
      const snapshot = await reader.read(name as TaskId);
      assert.ok(stat && snapshot);
      return { czxid: stat.czxid, name, view: taskView(snapshot, Date.now()) };
    }),
  );
  placed.sort((a, b) => (a.czxid === b.czxid ? (a.name < b.name ? 1 : -1) : a.czxid < b.czxid ? 1 : -1));
  return placed.map(({ view }) => view);
}

/** Tasks of every kind and end. Resolves when nothing changes by itself any more. */
async function runByChance(stack: Stack): Promise<void> {
  const pick = <T>(...choices: T[]): T => choices[Math.floor(Math.random() * choices.length)] as T;
  const cancelled = new Set<string>();
  const submit = async () => {
    const ends = pick(
      { type: 'echo', payload: 1 },
      { type: 'sleep', payload: { ms: 1 } },
      { type: 'sleep', payload: 'no', maxAttempts: pick(1, 2), backoff: { type: 'fixed', delayMs: 10 } },
      { type: 'nobody-has-it' },
      { type: 'echo', delayMs: pick(50, 3_600_000) },
      { type: 'sleep', payload: { ms: 3_600_000 } },
    );
    const labels = pick({}, { tier: pick('gold', 'tin') }, { tier: 'gold', zone: 'a' });
    const { id } = await stack.client.submit({ ...ends, queue: pick('p', 'q', 'r'), labels });
    if (Math.random() < 0.2) {
      cancelled.add(id);
      await stack.client.request('POST', `/tasks/${id}/cancel`);
    }
    if (Math.random() < 0.2) await stack.client.request('DELETE', `/tasks/${id}`);
  };
  for (let round = 0; round < 15; round += 1) await Promise.all(Array.from({ length: 8 }, submit));
  const session = await stack.session;
  await session.create('/tasks/task-', '{"v":1', 'sequential'); // ends as invalid
  await session.create('/tasks/readme', 'no task at all');
  const restless = ({ id, state, type, runAt, payload }: TaskView) =>
    (state === 'scheduled' && (runAt ?? 0) < Date.now() + 60_000) ||
    (state === 'queued' && type !== 'nobody-has-it') ||
    (state === 'running' && !isDeepStrictEqual(payload, { ms: 3_600_000 })) ||
    (cancelled.has(id) && !(finalStates as readonly string[]).includes(state));
  await eventually('all is quiet', async () => !(await readAll(session)).some(restless) || null, 30_000);
}

const states: readonly TaskState[] = ['scheduled', 'queued', 'running', 'succeeded', 'failed', 'cancelled'];

/** Holds lists, counts and queues of this master against the tree. */
async function compare(master: Process, tasks: readonly TaskView[]): Promise<void> {
  const idsOf = (fits: (task: TaskView) => boolean) => tasks.filter(fits).map(({ id }) => id as string);
  await eventually('the counts are those of the tree', async () => {
    const stats = await ask<StatsView>(master, indexPaths.stats);
    const counts = Object.fromEntries(states.map((state) => [state, idsOf((task) => task.state === state).length]));
    assert.deepEqual(stats.tasks, counts);
    return true;
  });
  const lists = async (query: Record<string, string>, fits: (task: TaskView) => boolean) => {
    assert.deepEqual(await listAll(master, query), idsOf(fits), JSON.stringify(query));
  };
  await lists({}, () => true);
  for (const state of states) await lists({ state }, (task) => task.state === state);
  for (const queue of ['p', 'q', 'r']) await lists({ queue }, (task) => task.queue === queue);
  for (const worker of new Set(tasks.map((task) => task.worker))) {
    if (worker !== null) await lists({ worker }, (task) => task.worker === worker);
  }
  const isGoldenEcho = ({ labels, type }: TaskView) => labels['tier'] === 'gold' && type === 'echo';
  await lists({ label: 'tier:gold', type: 'echo' }, isGoldenEcho);
  for (const { name, scheduled, queued, running } of await ask<QueueView[]>(master, indexPaths.queues)) {
    const count = (state: TaskState) => tasks.filter((task) => task.queue === name && task.state === state).length;
    assert.deepEqual([scheduled, queued, running], [count('scheduled'), count('queued'), count('running')], name);
  }
}

interface Heard {
  readonly started: Promise<void>;
  readonly events: TaskEvent[];
  readonly ids: string[];
  /** Resolves when the stream is over. */
  readonly ended: Promise<void>;
}

function hear(t: TestContext, master: Process, after: string | null = null): Heard {
  const events: TaskEvent[] = [];
  const ids: string[] = [];
  const stop = new AbortController();
  t.after(() => stop.abort());
  let onStart = (): void => undefined;
  const started = new Promise<void>((resolve) => {
    onStart = resolve;
  });
  const listen = async () => {
    const query = after === null ? '' : `?after=${after}`;
    const response = await fetch(`${adminOf(master)}${indexPaths.events}${query}`, { signal: stop.signal });
    assert.equal(response.status, 200);
    for await (const text of createInterface({ input: Readable.fromWeb(response.body as never) })) {
      const line = JSON.parse(text) as EventLine;
      if (line.kind === 'start') onStart();
      if (line.kind !== 'event') continue;
      events.push(line.event);
      ids.push(line.eventId);
    }
  };
  const ended = listen().catch(() => undefined); // a leader that is killed breaks the stream off
  return { started, events, ids, ended };
}

test('lists, counts and queues are those of the tree after a run by chance, and the next leader has the same', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2, workers: 2, sessionTimeoutMs: calmSessionMs });
  const leader = await stack.leader();
  const standby = await stack.standby();
  const heard = hear(t, leader);
  await heard.started;
  await runByChance(stack);
  const tasks = await readAll(await stack.session);
  assert.ok(
    states.every((state) => tasks.some((task) => task.state === state)),
    'the run has too little in it',
  );
  await compare(leader, tasks);
  for (const { id, state } of tasks) {
    const path = heard.events.filter((event) => event.id === id).map((event) => event.state);
    assert.equal(path.at(-1), state, `${id}: ${path}`);
    assert.ok(['scheduled', 'queued'].includes(path[0] ?? ''), `${id}: ${path}`);
    if (path.includes('succeeded')) assert.equal(path.at(-2), 'running', `${id}: ${path}`);
  }
  const exited = leader.process.stop();
  await heard.ended;
  await standby.process.waitForLog(/^leading$/);
  assert.deepEqual(await exited, { code: 0, signal: null });
  await compare(standby, await readAll(await stack.session));
});

test('a standby says that it does not lead, and after a kill answers as the leader did', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2, workers: 1 });
  const leader = await stack.leader();
  const standby = await stack.standby();
  for (const path of Object.values(indexPaths)) assert.equal((await fetch(adminOf(standby) + path)).status, 503, path);
  for (let i = 0; i < 20; i += 1) await stack.client.run({ type: 'echo', labels: { i: String(i) } });
  const before = await listAll(leader, { state: 'succeeded' });
  const stats = await ask<StatsView>(leader, indexPaths.stats);
  assert.deepEqual([before.length, stats.leader], [20, adminOf(leader).slice('http://'.length)]);
  const heard = hear(t, leader);
  await heard.started;
  leader.process.kill('SIGKILL');
  await heard.ended;
  await standby.process.waitForLog(/^leading$/);
  assert.deepEqual(await listAll(standby, { state: 'succeeded' }), before);
  assert.equal((await ask<StatsView>(standby, indexPaths.stats)).leader, adminOf(standby).slice('http://'.length));
});

test('a leader that slept past its session does not answer as one when it wakes', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2, workers: 1 });
  const leader = await stack.leader();
  const standby = await stack.standby();
  const heard = hear(t, leader);
  await heard.started;
  leader.process.kill('SIGSTOP');
  const asked = Object.values(indexPaths).map((path) => fetch(adminOf(leader) + path));
  await standby.process.waitForLog(/^leading$/);
  const task = await stack.client.run({ type: 'echo' });
  leader.process.kill('SIGCONT');
  const statuses = await Promise.all(asked.map(async (answer) => (await answer).status));
  assert.deepEqual([...new Set(statuses)], [503]);
  await heard.ended;
  assert.deepEqual(
    heard.events.filter(({ id }) => id === task.id),
    [],
  );
  assert.deepEqual(await listAll(standby, {}), [task.id]);
});

test('a reader of events that comes back misses nothing, and is told the states that nobody saw', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 0, sessionTimeoutMs: calmSessionMs });
  const leader = await stack.leader();
  const first = hear(t, leader);
  await first.started;
  const session = await stack.session;
  const task = await session.create('/tasks/task-', '{"v":1,"type":"by-hand","queue":"h"}', 'sequential');
  await eventually('one event', () => first.events.length === 1);
  const [place] = first.ids;
  assert.ok(place);
  const second = hear(t, leader, place);
  await second.started;
  const startedAt = '2026-01-02T03:04:05.678Z';
  const end = { v: 1, state: 'succeeded', result: 1, attempt: 1, worker: 'w', startedAt, finishedAt: startedAt };
  await session.create(`${task}/status`, JSON.stringify(end));
  for (const { events } of [first, second]) {
    await eventually('the run and the end', () => events.some(({ state }) => state === 'succeeded'));
  }
  const at = Date.parse(startedAt);
  const id = task.slice('/tasks/'.length);
  const base = { id, type: 'by-hand', queue: 'h' };
  assert.deepEqual(second.events, [
    { ...base, state: 'running', attempt: 1, worker: 'w', at },
    { ...base, state: 'succeeded', attempt: 1, worker: 'w', at },
  ]);
  assert.deepEqual(first.events.slice(1), second.events);
  const third = hear(t, leader, place);
  await eventually('what was missed', () => third.events.length === 2);
  assert.deepEqual(third.ids, second.ids);
});

test('a clean stop is not held up by who listens: the standby leads at once', async (t) => {
  const stack = await startStack(t, zookeeper, {
    masters: 2,
    workers: 0,
    gateways: 0,
    sessionTimeoutMs: calmSessionMs,
  });
  const [leader, standby] = [await stack.leader(), await stack.standby()];
  const readers = Array.from({ length: 20 }, () => hear(t, leader));
  await Promise.all(readers.map(({ started }) => started));
  const stoppedAt = performance.now();
  const exited = leader.process.stop();
  await standby.process.waitForLog(/^leading$/);
  const ms = Math.round(performance.now() - stoppedAt);
  t.diagnostic(`SIGTERM to the standby leading: ${ms} ms`);
  assert.ok(ms < 1000, `${ms} ms`);
  assert.deepEqual(await exited, { code: 0, signal: null });
  await Promise.all(readers.map(({ ended }) => ended));
});
