// Goal: who runs what is known to whoever asks, however seldom, and costs nothing while nobody does. Method: the directory on a
// real ZooKeeper, with what the server sends counted on the wire; a person gives and takes tasks, also while it is not followed.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AssignmentDirectory, type AssignmentDirectoryOptions } from '../../coordination/assignment-directory.ts';
import { isRefusal } from '../../coordination/coordination-error.ts';
import { TaskReader } from '../../coordination/task-reader.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { opcodes } from '../../coordination/zookeeper-requests.ts';
import type { TaskId, WorkerId } from '../../domain/task.ts';
import { next, openSession, reached } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { RequestMeter } from '../support/request-costs.ts';
import { openSession as openPerson } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const workers = ['a', 'b'] as WorkerId[];
const [a, b] = workers as [WorkerId, WorkerId];
const task = (number: number) => `task-${String(number).padStart(10, '0')}` as TaskId;

async function world(t: TestContext, options: AssignmentDirectoryOptions = {}, sessionTimeoutMs = 10_000) {
  const chroot = `/${t.name.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}`;
  const person = await openPerson(t, `${zookeeper.connect}${chroot}`);
  for (const path of [paths.tasks, paths.assign, ...workers.map(paths.assignments)]) await person.create(path);
  const proxy = await startFaultProxy(t, zookeeper);
  const meter = new RequestMeter(proxy, chroot);
  const { session } = await openSession(t, proxy, { chroot, sessionTimeoutMs });
  const directory = new AssignmentDirectory(session, { keptMs: 20, ...options });
  const give = (worker: WorkerId, number: number) => person.create(paths.assignment(worker, task(number)));
  const take = (worker: WorkerId, number: number) => person.remove(paths.assignment(worker, task(number)));
  const unfollowed = () => eventually('it is not followed any more', () => !directory.isFollowed);
  const runs = (numbers: readonly number[]) => numbers.map((number) => directory.workerOf(task(number)));
  return { person, proxy, meter, session, directory, give, take, unfollowed, runs };
}

test('what happened while nobody asked is known to the next one who does, and was told to nobody', async (t) => {
  const assigned: TaskId[] = [];
  const onAssigned = (id: TaskId) => assigned.push(id);
  const { session, directory, meter, give, take, unfollowed, runs } = await world(t, { onAssigned });
  await give(a, 0);
  await give(a, 1);
  await directory.follow();
  assert.deepEqual(runs([0, 1, 2]), [a, a, null]);
  await unfollowed();
  await session.sync('/');
  meter.take();
  await take(a, 0);
  await take(a, 1);
  await give(b, 1);
  await give(b, 2);
  await session.sync('/'); // what was told of these would have come before the answer
  assert.deepEqual([meter.take().events, assigned], [0, [task(0), task(1)]]);
  const stop = directory.listen(task(4), () => undefined); // keeps it from here on
  await directory.follow();
  assert.deepEqual(runs([0, 1, 2]), [null, b, b]);
  assert.deepEqual(assigned.slice(2).sort(), [task(1), task(2)]);
  await give(a, 3);
  await eventually('it is told again', () => directory.workerOf(task(3)) === a);
  stop();
});

test('it is followed for as long as somebody listens, and again for one who does so later', async (t) => {
  const { directory, give, take, unfollowed } = await world(t);
  await directory.follow();
  await unfollowed();
  let told = 0;
  const stop = directory.listen(task(0), () => {
    told += 1;
  });
  await eventually('it is followed', () => directory.isFollowed);
  for (let round = 0; round < 5; round += 1) {
    const before = told;
    await give(a, 0);
    await eventually('the assignment is told', () => told === before + 1);
    await take(a, 0);
    await eventually('the removal is told', () => told === before + 2);
  }
  assert.ok(directory.isFollowed);
  stop();
  await unfollowed();
});

test('a task that runs is found running by a reader that followed nothing, one that waits is not', async (t) => {
  const { person, session, directory, give, unfollowed } = await world(t);
  await directory.follow();
  await unfollowed();
  const record = '{"v":1,"type":"echo","payload":null,"queue":"default"}';
  for (let i = 0; i < 2; i += 1) await person.create(paths.taskPrefix, record, 'sequential');
  await give(b, 1);
  const reader = new TaskReader(session, directory);
  assert.equal((await reader.readEnd(task(1)))?.assignment, null);
  assert.ok(!directory.isFollowed, 'who waits for the end need not know');
  assert.equal((await reader.read(task(1)))?.assignment?.worker, b);
  assert.ok(directory.isFollowed);
  await person.create(paths.status(task(1)), 'done');
  assert.equal((await reader.readEnd(task(1)))?.status?.result, 'done');
  assert.equal((await reader.read(task(0)))?.assignment, null);
});

test('a cut while it is not followed leaves nothing behind, and the next one who asks knows all', async (t) => {
  const { proxy, session, directory, give, unfollowed, runs } = await world(t);
  await directory.follow();
  await unfollowed();
  proxy.refuse();
  proxy.cut();
  await next(session, 'suspended');
  await give(a, 0);
  const followed = directory.follow();
  await proxy.heal();
  await reached(session, 'connected');
  await followed;
  assert.deepEqual(runs([0]), [a]);
});

test('a session that ends while it begins is told as to any other request, also where nobody waits for it', async (t) => {
  const { proxy, session, directory, unfollowed } = await world(t, {}, 1200);
  await directory.follow();
  await unfollowed();
  await proxy.silence('toClient');
  const refused = assert.rejects(directory.follow(), (error: unknown) => isRefusal(error, 'session_lost'));
  void directory.follow();
  await reached(session, 'lost');
  await refused;
});

test('what set the watch and waited for a link sets none where it has ended meanwhile', async (t) => {
  const { person, proxy, meter, session, directory, give, unfollowed } = await world(t, { keptMs: 300 });
  await directory.follow();
  const dropped = proxy.dropNextRequest((opcode) => opcode === opcodes.addWatch);
  proxy.cut();
  await dropped;
  proxy.refuse();
  await unfollowed();
  await proxy.heal();
  await reached(session, 'connected');
  await session.sync('/');
  meter.take();
  for (let number = 0; number < 5; number += 1) await give(a, number);
  await person.sync('/');
  await session.sync('/');
  assert.equal(meter.take().events, 0);
});

test('it is followed for as long as somebody waits to be told what was given to a worker', async (t) => {
  let isNeeded = true;
  const assigned: TaskId[] = [];
  const onAssigned = (id: TaskId) => assigned.push(id);
  const { directory, give, take, unfollowed } = await world(t, { keptMs: 1, isNeeded: () => isNeeded, onAssigned });
  await directory.follow();
  for (let number = 0; number < 20; number += 1) {
    await give(a, number);
    await take(a, number);
  }
  await eventually('each is told', () => assigned.length === 20);
  isNeeded = false;
  await unfollowed();
});

test('begun and ended again and again beside constant changes it is right each time', async (t) => {
  const { session, directory, give, take, unfollowed } = await world(t, { keptMs: 2 });
  let given = new Set<number>();
  let hasEnded = false;
  const change = async () => {
    for (let step = 0; !hasEnded; step += 1) {
      const number = step % 7;
      await (given.has(number) ? take(a, number) : give(a, number));
      given = new Set(given.has(number) ? [...given].filter((other) => other !== number) : [...given, number]);
    }
  };
  const changing = change();
  for (let round = 0; round < 100; round += 1) {
    await directory.follow();
    await unfollowed();
  }
  hasEnded = true;
  await changing;
  const stop = directory.listen(task(7), () => undefined); // keeps it for the comparison
  await directory.follow();
  await session.sync('/');
  const numbers = [0, 1, 2, 3, 4, 5, 6];
  assert.deepEqual(
    numbers.filter((number) => directory.workerOf(task(number)) === a),
    numbers.filter((number) => given.has(number)),
  );
  stop();
});

test('where `/assign` was removed nobody runs anything', async (t) => {
  const { person, session, directory, unfollowed } = await world(t);
  await directory.follow();
  await unfollowed();
  await person.remove(paths.assignments(a));
  await person.remove(paths.assignments(b));
  await person.remove(paths.assign);
  await directory.follow();
  assert.equal(directory.workerOf(task(0)), null);
  assert.equal(session.state, 'connected');
});
