// Goal: the admin endpoint answers gateways from the index while the master leads, and at no other time; bad queries are said
// to be so; streams are bounded, end with the leading, and a reader that does not read is cut off. Method: the real routes on
// a real server, over an index whose facts and lease the test holds.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { Session } from '../../../coordination/session.ts';
import { EventRing } from '../../../domain/event-ring.ts';
import type { TaskExplanation } from '../../../domain/explanation.ts';
import { limits } from '../../../domain/limits.ts';
import {
  type EventLine,
  type IndexedTasks,
  indexPaths,
  type QueueView,
  type StatsView,
  type WorkerView,
} from '../../../domain/master-index.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { startAdminServer } from '../../../runtime/admin-server.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { indexRoutes } from '../../../services/master/index-routes.ts';
import { createMasterMetrics } from '../../../services/master/master-metrics.ts';
import { MasterView } from '../../../services/master/master-view.ts';
import type { Picture } from '../../../services/master/picture.ts';
import { eventually } from '../../support/eventually.ts';
import { addTask, addWorker, taskId } from '../domain/facts.ts';

/** A picture that the test paints itself. */
class PaintedPicture {
  readonly index = new TaskIndex();
  readonly events: EventRing;
  readonly sequence = { next: 43 };
  synced = true;
  readonly #listeners = new Set<() => void>();

  constructor(eventsKept: number) {
    this.events = new EventRing('ring', eventsKept);
    this.index.states.onEvent = (event) => {
      this.events.push(event);
      for (const listener of this.#listeners) listener();
    };
    this.index.states.goLive();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  onEvent(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

async function startLeader(t: TestContext, aliveMs?: number, eventsKept = 100) {
  const picture = new PaintedPicture(eventsKept);
  const lease = { trustedUntil: Number.POSITIVE_INFINITY };
  const over = new AbortController();
  const view = new MasterView();
  const painted = picture as unknown as Picture;
  view.picture = painted;
  view.term = { session: lease as unknown as Session, picture: painted, signal: over.signal };
  const metrics = createMetrics();
  createMasterMetrics(metrics, view);
  const server = await startAdminServer({
    ...{ host: '127.0.0.1', port: 0, advertisedHost: '127.0.0.1', log: createLog('test', 'silent'), metrics },
    ...{ isReady: () => true, routes: indexRoutes(view, aliveMs) },
  });
  t.after(() => server.close());
  view.address = server.address;
  const get = (path: string, init?: RequestInit) => fetch(`http://${server.address}${path}`, init);
  return { picture, lease, over, view, server, get };
}

/** Lines as they come; the stream's end is the iterator's. */
function linesOf(response: Response): AsyncIterator<EventLine> {
  assert.ok(response.body);
  const lines = createInterface({ input: Readable.fromWeb(response.body as never) });
  return (async function* () {
    for await (const line of lines) yield JSON.parse(line) as EventLine;
  })();
}

test('each path answers from the index', async (t) => {
  const { picture, server, get } = await startLeader(t);
  addWorker(picture.index, 'w', { concurrency: 3, types: ['echo'] });
  addTask(picture.index, 1, { labels: { k: 'a:b' } });
  addTask(picture.index, 2);
  const json = async <T>(path: string) => (await (await get(path)).json()) as T;
  assert.deepEqual(await json<IndexedTasks>(`${indexPaths.tasks}?limit=1`), {
    tasks: [{ id: taskId(2), position: '2-2' }],
    next: '2-2',
  });
  assert.deepEqual((await json<IndexedTasks>(`${indexPaths.tasks}?after=2-2`)).next, null);
  assert.deepEqual(
    (await json<IndexedTasks>(`${indexPaths.tasks}?label=k:a:b&state=queued&queue=default`)).tasks.length,
    1,
  );
  assert.deepEqual(await json<WorkerView[]>(indexPaths.workers), [
    { id: 'w', address: 'host:1', concurrency: 3, types: ['echo'], queues: null, running: 0, draining: false },
  ]);
  assert.deepEqual(
    (await json<QueueView[]>(indexPaths.queues)).map(({ name, queued }) => [name, queued]),
    [['default', 2]],
  );
  const { leader, slots, tasks } = await json<StatsView>(indexPaths.stats);
  assert.deepEqual([leader, slots, tasks.queued], [server.address, { total: 3, free: 3 }, 2]);
  const explained = await json<TaskExplanation>(`${indexPaths.explain}?task=${taskId(2)}`);
  assert.deepEqual([explained.id, explained.reason, explained.workers], [taskId(2), 'behind_others', 1]);
  assert.equal((await json<TaskExplanation>(`${indexPaths.explain}?task=task-9`)).reason, 'not_seen_yet');
  const metrics = await (await get('/metrics')).text();
  assert.match(metrics, /^taskkeeper_tasks\{state="queued"\} 2$/m);
  assert.match(metrics, /^taskkeeper_slots\{kind="free"\} 3$/m);
  assert.match(metrics, /^taskkeeper_newest_task_number 42$/m);
});

test('what does not fit is a bad query', async (t) => {
  const { get } = await startLeader(t);
  const { tasks, workers, events, stats, explain } = indexPaths;
  const bad = [
    ...['state=done', 'limit=0', 'limit=501', 'limit=x', 'limit=', 'after=1', 'label=k', 'label=:v', 'color=red'].map(
      (query) => `${tasks}?${query}`,
    ),
    `${tasks}?type=a&type=b`,
    `${tasks}?${'label=k:v&'.repeat(17)}`,
    `${workers}?a=b`,
    `${stats}?a=b`,
    `${events}?since=1`,
    explain,
    `${explain}?task=../status`,
    `${explain}?task=task-1&now=1`,
    `${events}?after=${'x'.repeat(101)}`,
  ];
  for (const path of bad) assert.equal((await get(path)).status, 400, path);
  for (const method of ['GET', 'HEAD']) assert.equal((await get(`${tasks}?limit=500`, { method })).status, 200);
  assert.equal((await get(tasks, { method: 'POST' })).status, 405);
});

test('only a master that leads by its own clock, and knows everything, answers', async (t) => {
  const { picture, lease, over, view, get } = await startLeader(t);
  const paths = Object.values(indexPaths).map((path) => (path === indexPaths.explain ? `${path}?task=task-1` : path));
  const statuses = async () => {
    const answers = await Promise.all(paths.map((path) => get(path, { method: 'HEAD' })));
    return [...new Set(answers.map(({ status }) => status))];
  };
  assert.deepEqual(await statuses(), [200]);
  picture.synced = false;
  assert.deepEqual(await statuses(), [503]);
  picture.synced = true;
  lease.trustedUntil = 0;
  assert.deepEqual(await statuses(), [503]);
  lease.trustedUntil = Number.POSITIVE_INFINITY;
  assert.deepEqual(await statuses(), [200]);
  over.abort();
  assert.deepEqual(await statuses(), [503]);
  view.term = null;
  assert.deepEqual(await statuses(), [503]);
});

test('a stream begins with a start, goes on where the reader was, and ends with the leading', async (t) => {
  const { picture, over, get } = await startLeader(t);
  const next = async (lines: AsyncIterator<EventLine>) => (await lines.next()).value as EventLine;
  const first = linesOf(await get(indexPaths.events));
  assert.deepEqual(await next(first), { kind: 'start', resumed: true });
  addTask(picture.index, 1);
  addTask(picture.index, 2);
  const [one, two] = [await next(first), await next(first)];
  assert.ok(one.kind === 'event' && two.kind === 'event');
  assert.deepEqual([one.event.id, one.event.state, two.event.id], [taskId(1), 'queued', taskId(2)]);
  const again = linesOf(await get(`${indexPaths.events}?after=${one.eventId}`));
  assert.deepEqual([await next(again), await next(again)], [{ kind: 'start', resumed: true }, two]);
  const elsewhere = linesOf(await get(`${indexPaths.events}?after=another-1`));
  assert.deepEqual(await next(elsewhere), { kind: 'start', resumed: false });
  over.abort();
  for (const lines of [first, again, elsewhere]) assert.equal((await lines.next()).done, true);
  assert.equal(picture.listeners, 0);
});

test('a stream that has nothing to say says so, and ends when the lease is over', async (t) => {
  const { lease, get } = await startLeader(t, 20);
  const lines = linesOf(await get(indexPaths.events));
  await lines.next();
  assert.deepEqual((await lines.next()).value, { kind: 'alive' });
  lease.trustedUntil = 0;
  assert.equal((await lines.next()).done, true);
});

test('there are so many streams and no more, and one that goes makes room', async (t) => {
  const { picture, get } = await startLeader(t);
  const leaving = new AbortController();
  const asked = Array.from({ length: limits.masterEventStreamsMax }, (_, i) =>
    get(indexPaths.events, i === 0 ? { signal: leaving.signal } : {}),
  );
  const open = await Promise.all(asked); // kept: what is collected is closed
  assert.equal((await get(indexPaths.events)).status, 503);
  leaving.abort();
  await eventually('one has gone', () => picture.listeners < limits.masterEventStreamsMax);
  open.push(await get(indexPaths.events));
  assert.deepEqual([...new Set(open.map(({ status }) => status))], [200]);
});

/** An event whose line is a little longer than that. */
function eventOf(lineBytes: number) {
  const worker = 'w'.repeat(lineBytes);
  return { id: taskId(1), type: 't', queue: 'q', state: 'queued', attempt: 0, worker, at: 0 } as const;
}

test('whoever comes back is sent all that it has missed, however much that is', async (t) => {
  const { picture, get } = await startLeader(t, undefined, 10_000);
  for (let sent = 0; sent < 10_000; sent += 1) picture.index.states.onEvent?.(eventOf(1000));
  const lines = linesOf(await get(`${indexPaths.events}?after=ring-0`));
  assert.deepEqual((await lines.next()).value, { kind: 'start', resumed: true });
  for (let number = 1; number <= 10_000; number += 1) {
    const { value } = await lines.next();
    assert.ok(value?.kind === 'event' && value.eventId === `ring-${number}`, `the stream ended before ${number}`);
  }
});

test('whoever reads late misses nothing as long as it is kept', async (t) => {
  const { picture, get } = await startLeader(t, 20, 10_000);
  const response = await get(indexPaths.events);
  for (let sent = 0; sent < 9000; sent += 1) {
    picture.index.states.onEvent?.(eventOf(4000));
    if (sent % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const lines = linesOf(response);
  for (let number = 1; number <= 9000; ) {
    const { value } = await lines.next();
    assert.ok(value, `the stream ended before ${number}`);
    if (value.kind !== 'event') continue;
    assert.equal(value.eventId, `ring-${number}`);
    number += 1;
  }
});

test('of more tasks that are due at one instant than events are kept, readers miss none', async (t) => {
  const { picture, get } = await startLeader(t, undefined, 10_000);
  const { index } = picture;
  for (let number = 1; number <= 12_000; number += 1) addTask(index, number, { runAt: 5000 });
  const readAll = async () => {
    const lines = linesOf(await get(indexPaths.events));
    assert.deepEqual((await lines.next()).value, { kind: 'start', resumed: true });
    for (let number = 1; number <= 12_000; number += 1) {
      const { value } = await lines.next();
      assert.ok(value?.kind === 'event' && value.event.state === 'queued', `the stream ended before ${number}`);
    }
  };
  const read = Promise.all([readAll(), readAll(), readAll()]);
  await eventually('all listen', () => picture.listeners === 3);
  while (index.nextAlarmAt !== null) {
    index.advance(5000);
    await new Promise((resolve) => setTimeout(resolve, 1)); // as the loop does
  }
  await read;
});

test('a reader that does not read is cut off, and the others are not', async (t) => {
  const { picture, server, get } = await startLeader(t);
  const reading = linesOf(await get(indexPaths.events));
  const { port } = server;
  const idle = connect({ host: '127.0.0.1', port });
  t.after(() => idle.destroy());
  idle.write(`GET ${indexPaths.events} HTTP/1.1\r\nHost: a\r\n\r\n`);
  idle.pause();
  await eventually('both listen', () => picture.listeners === 2);
  const event = eventOf(4000);
  for (let sent = 0; picture.listeners === 2; sent += 1) {
    assert.ok(sent < 20_000, 'eighty megabytes were kept for somebody who does not read');
    picture.index.states.onEvent?.(event);
    if (sent % 20 === 19) for (let line = 0; line < 20; line += 1) await reading.next();
  }
  assert.equal(picture.listeners, 1);
  picture.index.states.onEvent?.(event);
  assert.equal((await reading.next()).done, false);
});
