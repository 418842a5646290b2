// Goal: a newer version of us beside this one is safe. What it adds to a record of ours stays there and changes nothing; a record
// whose `v` is higher is left as it is, everybody who asks for it is told so, it is logged once, and nobody else waits for it.
// Method: a stack of real processes, and a client of the test's own that writes what a newer version might.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyPaths } from '../../coordination/key-paths.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, answerOf, type Face, type Outcome } from '../support/faces.ts';
import { grpcFace } from '../support/grpc-face.ts';
import { httpFace } from '../support/http-face.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { createGate, writeHandlers } from '../support/stack-handlers.ts';
import { openSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { startStore } from './store-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, {
  sessionTimeoutMs: calmSessionMs,
  worker: { HANDLERS_DIR: writeHandlers(wholeFile, ['reporting']) },
});
const { client } = stack;
const session = await stack.session;
const faces: readonly Face[] = [httpFace(client.url), grpcFace(wholeFile, stack.gateway.grpcAddress)];
const [http] = faces as readonly [Face];

async function make(data: object): Promise<string> {
  return (await session.create('/tasks/task-', JSON.stringify(data), 'sequential')).slice('/tasks/'.length);
}

async function jsonAt(path: string): Promise<Answer> {
  return JSON.parse((await session.getData(path))?.data.toString() ?? 'null');
}

async function overwrite(path: string, data: object): Promise<void> {
  await session.commit([{ kind: 'set', path, data: Buffer.from(JSON.stringify(data)), version: null }]);
}

/** Adds a member to what is there. */
async function addTo(path: string, member: object): Promise<void> {
  await overwrite(path, { ...(await jsonAt(path)), ...member });
}

function reasonOf(outcome: Outcome): string {
  return outcome.kind === 'refusal' ? outcome.reason : 'an answer';
}

/** How often the processes have logged that a newer version wrote what is at `path`. */
function timesLogged(path: string): number {
  const [master] = stack.masters;
  return master?.process.logs.filter((line) => line['path'] === path && /newer/.test(line.msg)).length ?? 0;
}

async function othersGoOn(): Promise<void> {
  assert.equal((await client.run({ type: 'echo', payload: 'others' })).result, 'others');
}

const members = { added: { by: ['a newer version'] } };

test('members that we do not know stay in an assignment, through progress and withdrawal, and are nothing to a task', async (t) => {
  const payload = { reports: 100, ms: 30_000, until: createGate(t).path };
  const id = await make({ v: 1, type: 'reporting', payload, ...members });
  const { worker } = await client.untilRunning(id);
  const path = `/assign/${worker}/${id}`;
  await addTo(path, members);
  const before = (await jsonAt(path)).progress?.percent;
  await eventually('progress is written', async () => (await jsonAt(path)).progress?.percent !== before);
  await client.request('POST', `/tasks/${id}/cancel`);
  const marked = await eventually('it is marked', async () => {
    const assignment = await jsonAt(path);
    return assignment?.withdraw && assignment;
  });
  assert.deepEqual([marked.v, marked.added, marked.attempt], [1, members.added, 1]);
  const done = await client.wait(id);
  assert.deepEqual([done.state, done.type], ['cancelled', 'reporting']);
  assert.deepEqual((await jsonAt(`/tasks/${id}`)).added, members.added);
});

test('they stay in the settings of a queue, in a schedule, in its task and in how far it has come', async () => {
  await http.updateQueue('q', { paused: true });
  await addTo('/queues/q', members);
  answerOf(await http.updateQueue('q', { paused: false, concurrency: 2 }));
  assert.deepEqual(await jsonAt('/queues/q'), { v: 1, ...members, concurrency: 2 });
  const task = { type: 'echo', exclusiveKey: 'k' };
  answerOf(await http.putSchedule('s', { everyMs: 1000, overlap: 'allow', task }));
  await eventually('its first tick', () => session.exists('/schedules/s/ticks'));
  await addTo('/schedules/s', { ...members, task: { ...(await jsonAt('/schedules/s')).task, ...members } });
  await addTo('/schedules/s/ticks', { ...members, runs: 100 });
  const ticks = await eventually('ticks go on from there', async () => {
    const state = await jsonAt('/schedules/s/ticks');
    return state.runs >= 101 && state;
  });
  assert.deepEqual(ticks.added, members.added);
  answerOf(await http.setPaused('s', true));
  const paused = await jsonAt('/schedules/s');
  assert.deepEqual([paused.paused, paused.added, paused.task.added], [true, members.added, members.added]);
  answerOf(await http.putSchedule('s', { everyMs: 2000, task: { type: 'echo' } }));
  const { added, task: changed } = await jsonAt('/schedules/s');
  assert.deepEqual([added, changed.added, changed.exclusiveKey], [members.added, members.added, undefined]);
  answerOf(await http.schedule('delete', 's'));
});

/** Of which of its records a task has a newer version. */
const newerParts: Record<string, (id: string) => Promise<string>> = {
  'the task': async (id) => {
    await overwrite(`/tasks/${id}`, { v: 2, type: 'echo', tags: ['red'] });
    return `/tasks/${id}`;
  },
  'its status': (id) => session.create(`/tasks/${id}/status`, '{"v":2,"state":"skipped"}'),
  'an attempt': (id) => session.create(`/tasks/${id}/attempt-1`, '{"v":2,"outcome":"postponed"}'),
  'its assignment': async (id) => {
    if (!(await session.exists('/assign/newer'))) await session.create('/assign/newer');
    return session.create(`/assign/newer/${id}`, '{"v":2,"attempt":{"number":1}}');
  },
};

for (const [what, write] of Object.entries(newerParts)) {
  test(`${what} of a higher version: who asks for the task is told, and it is left as it is`, async () => {
    const id = await make({ v: 1, type: 'nobody-has-it' });
    const path = await write(id);
    await eventually('the master has logged it', () => timesLogged(path) === 1);
    const { data, stat } = (await session.getData(path)) ?? assert.fail();
    for (const face of faces) {
      const refused = [face.get(id), face.get(id, 10_000), face.cancel(id), face.retry(id), face.watchTask(id)];
      const reasons = (await Promise.all(refused)).map(reasonOf);
      assert.deepEqual(new Set(reasons), new Set(['task-unreadable']), `${face.name}: ${reasons}`);
      const explained = answerOf(await face.explain(id));
      const [reason, words] =
        what === 'its assignment' ? ['unreadable', /ask a gateway of that/] : ['newer_version', /upgrade/];
      assert.equal(explained.reason, reason);
      assert.match(explained.message, words as RegExp);
    }
    const done = await client.run({ type: 'echo' });
    await eventually('lists go on without it', async () => {
      const listed: string[] = answerOf(await http.list({})).tasks.map((task: Answer) => task.id);
      return listed.includes(done.id) && !listed.includes(id);
    });
    await othersGoOn();
    const after = (await session.getData(path)) ?? assert.fail();
    assert.deepEqual([after.data, after.stat], [data, stat]);
    assert.equal(timesLogged(path), 1);
  });
}

test('a status of a person that has a "v" is an end, with that text as the result', async () => {
  const { id } = await client.submit({ type: 'nobody-has-it' });
  await session.create(`/tasks/${id}/status`, '{"v":2,"rows":7}');
  const done = await client.wait(id);
  assert.deepEqual([done.state, done.result], ['succeeded', '{"v":2,"rows":7}']);
  await eventually('it is listed so', async () => {
    const listed = answerOf(await http.list({ state: 'succeeded' })).tasks;
    return listed.some((task: Answer) => task.id === id);
  });
});

test('an assignment of a higher version is handed back by a worker, also one that runs', async () => {
  const [worker] = stack.workers;
  const timesHandedBack = (id: string) => worker?.process.logs.filter((line) => line['task'] === id).length;
  const waiting = await client.submit({ type: 'echo', delayMs: 3_600_000 });
  const path = await session.create(`/assign/ours1/${waiting.id}`, '{"v":2,"lease":"long"}');
  await eventually('it is handed back', async () => !(await session.exists(path)));
  assert.deepEqual([timesHandedBack(waiting.id), (await client.get(waiting.id)).state], [1, 'scheduled']);
  const { id } = await client.submit({ type: 'sleep', payload: { ms: 60_000 } });
  await client.untilRunning(id);
  const running = await session.exists(`/assign/ours1/${id}`);
  await overwrite(`/assign/ours1/${id}`, { v: 2, withdraw: { gently: true } });
  await eventually('it runs again', async () => {
    const again = await session.exists(`/assign/ours1/${id}`);
    return again && again.czxid !== running?.czxid;
  });
  assert.equal(timesHandedBack(id), 1);
  await client.request('POST', `/tasks/${id}/cancel`);
  assert.equal((await client.wait(id)).state, 'cancelled');
});

test('a worker of a higher version is given nothing, and what it has is not taken for lost', async () => {
  await session.create('/workers/ahead', '{"v":2,"places":{"small":4}}', 'ephemeral');
  await session.create('/assign/ahead');
  await eventually('the master has logged it', () => timesLogged('/workers/ahead') === 1);
  const { id } = await client.submit({ type: 'nobody-has-it' });
  await session.create(`/assign/ahead/${id}`, '{"v":1,"attempt":1}');
  await client.untilRunning(id);
  await othersGoOn();
  assert.deepEqual(
    answerOf(await http.workers()).workers.map(({ id }: Answer) => id),
    ['ours1'],
  );
  assert.equal((await client.get(id)).worker, 'ahead');
  await session.remove('/workers/ahead');
  await client.until(id, 'is lost', ({ attempts }) => attempts[0]?.outcome === 'lost');
  await eventually('its place goes after it', async () => !(await session.exists('/assign/ahead')));
});

test('a key of a higher version: nothing is submitted, and the key stays', async () => {
  const spec = { type: 'nobody-has-it' };
  for (const [place, face] of faces.entries()) {
    const key = `key ${place}`;
    answerOf(await face.submit(spec, { key }));
    await overwrite(keyPaths(key).path, { v: 2, made: 'something' });
    const before = (await session.exists('/tasks'))?.cversion;
    assert.equal(reasonOf(await face.submit(spec, { key })), 'idempotency-key-unreadable');
    assert.equal((await session.exists('/tasks'))?.cversion, before);
    assert.deepEqual(await jsonAt(keyPaths(key).path), { v: 2, made: 'something' });
  }
});

test('a key whose task was made in a higher version: the task is not made a second time', async () => {
  const spec = { type: 'nobody-has-it' };
  const { task } = answerOf(await http.submit(spec, { key: 'theirs' }));
  await overwrite(`/tasks/${task.id}`, { v: 2, type: 'nobody-has-it', tags: ['red'] });
  assert.equal(reasonOf(await http.submit(spec, { key: 'theirs' })), 'task-unreadable');
  assert.ok(await session.exists(keyPaths('theirs').path));
});

test('settings of a queue of a higher version: told, never replaced; the last ones that could be read hold', async () => {
  await http.updateQueue('theirs', { paused: true });
  const { id } = await client.submit({ type: 'echo', queue: 'theirs' });
  await overwrite('/queues/theirs', { v: 2, open: { from: '09:00' } });
  await eventually('the master has logged it', () =>
    stack.masters[0]?.process.logs.some((line) => line['path'] === '/queues/theirs'),
  );
  const all = { paused: false, concurrency: 2, ratePerSecond: null, burst: null, maxQueued: null };
  for (const face of faces) {
    for (const refused of [
      face.queue('theirs'),
      face.updateQueue('theirs', { paused: false }),
      face.updateQueue('theirs', all),
    ]) {
      assert.equal(reasonOf(await refused), 'queue-unreadable');
    }
  }
  await othersGoOn();
  assert.equal((await client.get(id)).state, 'queued');
  assert.deepEqual(await jsonAt('/queues/theirs'), { v: 2, open: { from: '09:00' } });
});

test('how far a schedule has come, in a higher version: it makes nothing, and says why', async () => {
  answerOf(await http.putSchedule('theirs', { everyMs: 1000, overlap: 'allow', task: { type: 'echo' } }));
  const path = '/schedules/theirs/ticks';
  await eventually('its first tick', () => session.exists(path));
  await overwrite(path, { v: 2, at: 'noon' });
  await eventually('the master has logged it', () => timesLogged(path) === 1);
  for (const face of faces) {
    const { fault } = answerOf(await face.schedule('get', 'theirs'));
    assert.match(fault, /newer Taskkeeper/);
    assert.equal(reasonOf(await face.runSchedule('theirs')), 'schedule-unreadable');
  }
  assert.deepEqual(await jsonAt(path), { v: 2, at: 'noon' });
  answerOf(await http.schedule('delete', 'theirs'));
  await othersGoOn();
});

test('a backlog of a higher version refuses nobody', async (t) => {
  const chroot = '/newer-backlog';
  const tree = await openSession(t, `${zookeeper.connect}${chroot}`);
  await tree.create('/backlog', '{"v":2,"unfinished":1000000}');
  const store = await startStore(t, zookeeper, { chroot, unfinishedTasksMax: 1 });
  assert.equal((await store.submit(taskRecord(), null)).created, true);
});
