// Goal: whoever watches a task hears of everything that happens to it, over cuts and lost sessions, and of nothing else; and a
// watch that is over leaves nothing behind. Method: the gateway's store on a real ZooKeeper, and below it the watches
// themselves, whose number is counted; a person plays master and worker.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AssignmentDirectory } from '../../coordination/assignment-directory.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId, WorkerId } from '../../domain/task.ts';
import { TaskWatches } from '../../gateway/store/task-watches.ts';
import type { ZooKeeperTaskStore } from '../../gateway/store/zookeeper-task-store.ts';
import { next, openSession } from '../fault/session-harness.ts';
import { taskRecord } from '../fault/task-record.ts';
import { Changes } from '../support/changes.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { openSession as openPerson, type TestSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { proxiedStore } from './store-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const worker = 'w' as WorkerId;

/** Counts what a watch tells, and looks at the task each time, as a stream does. */
class Listener {
  told = 0;
  readonly stop: () => void;

  constructor(store: ZooKeeperTaskStore, id: TaskId) {
    this.stop = store.watch(id, () => {
      this.told += 1;
    });
  }

  /** Runs `change` and resolves once that was told. */
  async hears(what: string, change: () => Promise<unknown>): Promise<void> {
    const before = this.told;
    await change();
    await eventually(`${what} is told`, () => this.told > before);
  }
}

async function set(session: TestSession, path: string, data = 'x'): Promise<void> {
  await session.commit([{ kind: 'set', path, data: Buffer.from(data), version: null }]);
}

async function submitted(store: ZooKeeperTaskStore): Promise<TaskId> {
  return (await store.submit(taskRecord(), null)).id;
}

test('each thing that happens to a task is told, and nothing that happens to another', async (t) => {
  const { store, session } = await proxiedStore(t, zookeeper);
  await session.create(paths.assignments(worker));
  const [id, other] = [await submitted(store), await submitted(store)];
  const [listener, ofOther] = [new Listener(store, id), new Listener(store, other)];
  const assignment = paths.assignment(worker, id);
  await listener.hears('a run', () => session.create(assignment));
  for (const percent of ['10', '20', '30']) await listener.hears('progress', () => set(session, assignment, percent));
  await session.create(paths.attempt(id, 1));
  await listener.hears('the end of an attempt', () => session.remove(assignment));
  await listener.hears('the next run', () => session.create(assignment));
  await listener.hears('the end', () => session.create(paths.status(id), 'done'));
  await listener.hears('the removal', () => session.removeAll(paths.task(id)));
  assert.equal(ofOther.told, 0);
  await ofOther.hears('the removal of a task that never ended', () => session.remove(paths.task(other)));
});

test('what happened during a cut is told after it', async (t) => {
  const { store, session, proxy } = await proxiedStore(t, zookeeper);
  await session.create(paths.assignments(worker));
  const changes: ((id: TaskId) => Promise<unknown>)[] = [
    (id) => session.create(paths.assignment(worker, id)),
    (id) => set(session, paths.assignment(worker, id)),
    (id) => session.remove(paths.assignment(worker, id)),
    (id) => session.create(paths.status(id), 'done'),
    (id) => session.removeAll(paths.task(id)),
  ];
  const id = await submitted(store);
  for (const change of changes) {
    const listener = new Listener(store, id);
    await store.read(id); // the watches are set by now
    proxy.refuse();
    proxy.cut();
    await eventually('the cut is noticed', () => !store.isReady());
    await change(id);
    await listener.hears('the change', () => proxy.heal());
    listener.stop();
    await eventually('it is back', () => store.isReady());
  }
});

test('a lost session: told when there is another, and again of what comes then; also a watch begun without one', async (t) => {
  const { store, session, sessions, proxy } = await proxiedStore(t, zookeeper, { sessionTimeoutMs: 1000 });
  const id = await submitted(store);
  const before = new Listener(store, id);
  proxy.silence();
  await eventually('the session is lost', () => sessions[0]?.state === 'lost');
  const without = new Listener(store, id);
  const changed = store.changed(id, new AbortController().signal);
  assert.deepEqual([before.told, without.told], [0, 0]);
  await Promise.all([before, without].map((listener) => listener.hears('the new session', () => proxy.heal())));
  await changed;
  await store.read(id); // the look after the telling: what comes from now on is told again
  await Promise.all([
    before.hears('the end', () => session.create(paths.status(id))),
    without.hears('it', async () => 0),
  ]);
});

/** The watches of one session, whose parts can be counted. */
async function watches(t: TestContext, sessionTimeoutMs = 10_000) {
  const chroot = `/${t.name.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}`;
  const proxy = await startFaultProxy(t, zookeeper);
  const person = await openPerson(t, `${zookeeper.connect}${chroot}`);
  await person.create(paths.tasks);
  await person.create(paths.assign);
  const { session } = await openSession(t, proxy, { chroot, sessionTimeoutMs });
  const taskWatches = new TaskWatches();
  const directory = new AssignmentDirectory(session, { onSynced: () => taskWatches.wakeAll() });
  await directory.follow();
  taskWatches.begin({ session, directory });
  const left = () => [taskWatches.size, session.watched, directory.listenedTo];
  return { proxy, person, session, directory, taskWatches, left };
}

test('a watch that is over leaves nothing behind, also after it fired, after a cut, and when it ends while it is told', async (t) => {
  const { taskWatches, person, proxy, session, left } = await watches(t);
  const id = (await person.create(paths.taskPrefix, '', 'sequential')).slice('/tasks/'.length) as TaskId;
  assert.deepEqual(left(), [0, 0, 0]);
  taskWatches.watch(id, () => assert.fail())();
  assert.deepEqual(left(), [0, 0, 0]);

  const told = new Changes();
  let count = 0;
  const stops = Array.from({ length: 3 }, () =>
    taskWatches.watch(id, () => {
      count += 1;
      told.announce();
    }),
  );
  let once = 0;
  const stopOnce = taskWatches.watch(id, () => {
    once += 1;
    stopOnce();
  });
  assert.deepEqual(left(), [4, 2, 1]);
  await session.exists('/'); // all are set
  await person.create(paths.status(id));
  await eventually('all are told', () => count === 3 && once === 1);
  proxy.cut();
  await next(session, 'connected');
  await eventually('and again after the cut', () => count >= 6);
  assert.equal(once, 1);
  for (const stop of stops) stop();
  assert.deepEqual(left(), [0, 0, 0]);
  const before = count;
  await person.removeAll(paths.task(id));
  await session.sync('/');
  assert.equal(count, before);
});

test('waits for the end leave nothing behind either', async (t) => {
  const { taskWatches, session, directory, person, left } = await watches(t);
  const id = (await person.create(paths.taskPrefix, '', 'sequential')).slice('/tasks/'.length) as TaskId;
  const stop = new AbortController();
  const waits = Array.from({ length: 5 }, () => taskWatches.changed(id, stop.signal));
  taskWatches.end();
  waits.push(taskWatches.changed(id, stop.signal));
  assert.deepEqual(left(), [1, 1, 0]);
  stop.abort();
  await Promise.all(waits);
  assert.deepEqual(left(), [0, 0, 0]);
  taskWatches.begin({ session, directory });
  const wait = taskWatches.changed(id, new AbortController().signal);
  await person.create(paths.status(id));
  await wait;
  await taskWatches.changed(id, new AbortController().signal);
  assert.deepEqual(left(), [0, 0, 0]);
});

test('the end of the session is told to nobody, and leaves nothing in it', async (t) => {
  const { taskWatches, session, left } = await watches(t);
  const stop = taskWatches.watch('task-0000000000' as TaskId, () => assert.fail());
  await session.close();
  taskWatches.end();
  assert.deepEqual(left(), [1, 0, 0]);
  stop();
  assert.deepEqual(left(), [0, 0, 0]);
});

test('ten thousand watches on different tasks: cheap to set, over a reconnect, and one change wakes one', async (t) => {
  const { taskWatches, person, proxy, session, left } = await watches(t, 20_000);
  const size = 10_000;
  const ids: TaskId[] = [];
  for (let first = 0; first < size; first += 1000) {
    const create = { kind: 'create', path: paths.taskPrefix, data: Buffer.alloc(0), mode: 'sequential' } as const;
    const results = await person.commit(Array.from({ length: 1000 }, () => create));
    ids.push(...results.map(({ path }) => path?.slice('/tasks/'.length) as TaskId));
  }
  const told = new Map<TaskId, number>();
  const startedAt = performance.now();
  const heapBefore = process.memoryUsage().heapUsed;
  const stops = ids.map((id) => taskWatches.watch(id, () => told.set(id, (told.get(id) ?? 0) + 1)));
  await session.exists('/');
  const setMs = performance.now() - startedAt;
  const heapMb = (process.memoryUsage().heapUsed - heapBefore) / 1e6;
  assert.deepEqual(left(), [size, 2 * size, size]);

  await person.create(paths.status(ids[4711] as TaskId));
  await eventually('one is told', () => told.size > 0);
  await session.sync('/');
  assert.deepEqual([...told], [[ids[4711], 1]]);

  const cutAt = performance.now();
  proxy.cut();
  await next(session, 'connected');
  await eventually('all look again after the cut', () => told.size === size);
  const backMs = performance.now() - cutAt;
  const id = ids[42] as TaskId;
  const before = told.get(id) ?? 0;
  await person.create(paths.status(id));
  await eventually('one is told', () => (told.get(id) ?? 0) > before);
  for (const stop of stops) stop();
  assert.deepEqual(left(), [0, 0, 0]);
  t.diagnostic(`set in ${Math.round(setMs)} ms, ${heapMb.toFixed(1)} MB; back after a cut in ${Math.round(backMs)} ms`);
});
