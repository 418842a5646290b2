// Goal: a master tells all that it knows to whoever asks, leading or not, as long as that is complete; as lines that come bit by bit,
// with an end that tells that nothing is missing. Method: the real route on a real server, over an index whose facts the test holds.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { CoordinationError } from '../../../coordination/coordination-error.ts';
import { limits } from '../../../domain/limits.ts';
import { type PictureLine, picturePath } from '../../../domain/master-picture.ts';
import { defaultQueueSettings } from '../../../domain/queue-settings.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { type AdminRoute, startAdminServer } from '../../../runtime/admin-server.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { MasterView } from '../../../services/master/master-view.ts';
import type { Picture } from '../../../services/master/picture.ts';
import { pictureRoute } from '../../../services/master/picture-stream.ts';
import { eventually } from '../../support/eventually.ts';
import { addTask, addWorker, assignmentFact, status, taskId, workerId } from '../domain/facts.ts';

async function startMaster(t: TestContext, stallMs?: number) {
  const picture = { index: new TaskIndex(), synced: true, caughtUp: async () => undefined as undefined };
  const view = new MasterView();
  view.picture = picture as unknown as Picture;
  /** Those with which the route has done. */
  const told: ServerResponse[] = [];
  const route = pictureRoute(view, stallMs);
  const observed: AdminRoute = async (url, request, response) => {
    await route(url, request, response);
    told.push(response);
  };
  const server = await startAdminServer({
    ...{ host: '127.0.0.1', port: 0, advertisedHost: '127.0.0.1', log: createLog('test', 'silent') },
    ...{ metrics: createMetrics(), isReady: () => true, routes: { [picturePath]: observed } },
  });
  t.after(() => server.close());
  const get = (init?: RequestInit) => fetch(`http://${server.address}${picturePath}`, init);
  return { picture, view, server, get, told };
}

async function linesOf(response: Response): Promise<PictureLine[]> {
  assert.equal(response.status, 200);
  return (await response.text()).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

test('everything that is known is told, once', async (t) => {
  const { picture, get } = await startMaster(t);
  const { index } = picture;
  addWorker(index, 'w', { concurrency: 3 });
  index.setQueue('slow', { ...defaultQueueSettings, concurrency: 1 });
  for (const number of [1, 2, 3]) addTask(index, number);
  index.setStatus(taskId(1), status({ state: 'failed', attempt: 2, worker: 'w' }));
  index.setAssignment(workerId('w'), taskId(2), assignmentFact({ attempt: 1 }, { czxid: 9n, version: 4 }));
  const entry = index.tasks.get(taskId(3));
  assert.ok(entry);
  index.decide(entry, workerId('w')); // about to be given to it
  const lines = await linesOf(await get());
  const [start] = lines;
  assert.ok(start?.kind === 'start' && !start.leading);
  assert.deepEqual([start.sums.states.failed, start.sums.states.running, start.sums.queues], [1, 1, { default: 2 }]);
  const workers = lines.flatMap((line) => (line.kind === 'worker' ? [line.worker] : []));
  assert.deepEqual(workers, [
    { id: 'w', registered: { czxid: '1', version: 0, concurrency: 3 }, reachable: true, strays: [] },
  ]);
  assert.deepEqual(
    lines.flatMap((line) => (line.kind === 'queue' ? [line.name] : [])),
    ['slow'],
  );
  const tasks = lines.flatMap((line) => (line.kind === 'task' ? [line.task] : []));
  assert.deepEqual(
    tasks.map(({ id, state, decided }) => [id, state, decided]),
    [
      [taskId(1), 'failed', false],
      [taskId(2), 'running', false],
      [taskId(3), 'queued', true],
    ],
  );
  assert.deepEqual(tasks[0]?.status, { state: 'failed', attempt: 2, worker: 'w' });
  assert.deepEqual(tasks[1]?.assignments, [
    { worker: 'w', czxid: '9', version: 4, attempt: 1, withdraw: null, counted: true },
  ]);
  assert.equal(lines.at(-1)?.kind, 'end');
});

test('a slot that is taken by nothing is told', async (t) => {
  const { picture, get } = await startMaster(t);
  addWorker(picture.index, 'w');
  picture.index.worker(workerId('w')).tasks.add(taskId(1));
  const strays = (await linesOf(await get())).flatMap((line) => (line.kind === 'worker' ? line.worker.strays : []));
  assert.deepEqual(strays, [taskId(1)]);
});

test('without a complete picture nothing is told', async (t) => {
  const { picture, view, get } = await startMaster(t);
  assert.equal((await get({ method: 'HEAD' })).status, 200);
  picture.synced = false;
  assert.equal((await get()).status, 503);
  picture.synced = true;
  picture.caughtUp = async () => {
    throw new CoordinationError('session_lost', 'not applied', 'sync');
  };
  assert.equal((await get()).status, 503);
  view.picture = null;
  assert.equal((await get()).status, 503);
});

test('many tasks come bit by bit, and a picture that ceases to be current has no end', async (t) => {
  const { picture, get } = await startMaster(t);
  const count = 30_000;
  for (let number = 1; number <= count; number += 1) addTask(picture.index, number);
  const turns = countTurns(t);
  assert.equal((await linesOf(await get())).length, count + 2);
  assert.ok(turns() >= count / limits.masterPictureLinesAtOnce, 'nothing else had its turn meanwhile');
  const response = await get();
  picture.synced = false;
  await assert.rejects(response.text());
});

function countTurns(t: TestContext): () => number {
  let turns = 0;
  let next = setImmediate(function count() {
    turns += 1;
    next = setImmediate(count);
  });
  t.after(() => clearImmediate(next));
  return () => turns;
}

test('there are so many readers and no more, and one that goes makes room', async (t) => {
  const { picture, server, get } = await startMaster(t);
  for (let number = 1; number <= 50_000; number += 1) addTask(picture.index, number);
  const { port } = server;
  const idle = Array.from({ length: limits.masterPicturesMax }, () => connect({ host: '127.0.0.1', port }).pause());
  t.after(() => idle.forEach((socket) => void socket.destroy()));
  for (const socket of idle) socket.write(`GET ${picturePath} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await eventually('all of them are told', async () => (await get({ method: 'HEAD' })).status === 503);
  idle[0]?.destroy();
  await eventually('there is room', async () => (await get({ method: 'HEAD' })).status === 200);
});

test('a reader who takes nothing is cut off, and makes room', async (t) => {
  const { picture, server, told } = await startMaster(t, 50);
  for (let number = 1; number <= 50_000; number += 1) addTask(picture.index, number);
  const idle = connect({ host: '127.0.0.1', port: server.port }).pause();
  t.after(() => void idle.destroy());
  idle.write(`GET ${picturePath} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const response = await eventually('it is told no more', async () => told[0]);
  assert.ok(response.destroyed && !response.writableFinished);
});
