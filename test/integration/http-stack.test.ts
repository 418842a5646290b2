// Goal: what the HTTP face promises holds on the real system: streams that any gateway goes on with, lists and counts from the
// leading master, queues that stop and start, and a gateway that ends in good order. Method: one stack of real processes with
// two gateways; every answer is held against the document.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { openEventStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { assertProblem, httpClient } from '../support/http-client.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { createGate, writeHandlers } from '../support/stack-handlers.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, {
  ...{ gateways: 2, workers: 0, sessionTimeoutMs: calmSessionMs },
  worker: { HANDLERS_DIR: writeHandlers(wholeFile, ['gated']), WORKER_ID: 'worker-1', WORKER_CONCURRENCY: 4 },
});
await stack.addWorker({ WORKER_ID: 'worker-1' });
const [one = '', two = ''] = stack.gateways.map(({ client }) => client.url);
const http = httpClient(one);
const other = httpClient(two);

test('a task is followed from its submit to its end, from gateway to gateway', { timeout: 60_000 }, async (t) => {
  const gate = createGate(t);
  const id = await http.submit({ type: 'gated', payload: { until: gate.path } });
  const stream = await openEventStream(`${one}/tasks/${id}/events`);
  let last = await stream.next();
  while (last?.data.state !== 'running') last = await stream.next();
  stream.close();
  gate.open();
  assert.equal((await other.get(`/tasks/${id}?wait=30s`)).json.state, 'succeeded');
  const resumed = await openEventStream(`${two}/tasks/${id}/events`, last.id);
  const end = await resumed.next();
  assert.equal(end?.data.state, 'succeeded');
  assert.equal(await resumed.next(), null);
  assert.equal((await http.get(`/tasks/${id}/events`, { 'Last-Event-ID': end?.id ?? '' })).status, 204);
});

test('changes of all tasks are told by every gateway, and by the other one after the last seen', {
  timeout: 60_000,
}, async () => {
  const stream = await openEventStream(`${one}/events`);
  const id = await http.submit({ type: 'echo' });
  const states: string[] = [];
  let seen = '';
  while (states.at(-1) !== 'succeeded') {
    const event = await stream.next();
    if (event?.data.id !== id) continue;
    states.push(event.data.state);
    if (states.length === 1) seen = event.id ?? '';
  }
  assert.deepEqual(states.slice(-2), ['running', 'succeeded']);
  const resumed = await openEventStream(`${two}/events`, seen);
  const next = await resumed.next();
  assert.deepEqual([next?.event, next?.data.id, next?.data.state], ['task', id, states[1]]);
  stream.close();
  resumed.close();
});

test('a tag goes with the task, whichever gateway is asked', { timeout: 60_000 }, async () => {
  const id = await http.submit({ type: 'echo', delayMs: 3_600_000 });
  const { etag = '' } = (await http.get(`/tasks/${id}`)).headers;
  assert.equal((await other.get(`/tasks/${id}`, { 'If-None-Match': etag })).status, 304);
  await other.send('POST', `/tasks/${id}/cancel`, { reason: 'no more' });
  const final = await http.get(`/tasks/${id}?wait=30`, { 'If-None-Match': etag });
  assert.deepEqual([final.status, final.json.error.message], [200, 'no more']);
});

test('a task is cancelled, run again and deleted', { timeout: 60_000 }, async () => {
  const id = await http.submit({ type: 'echo', payload: 7, delayMs: 3_600_000, labels: { a: 'b' } });
  assert.equal((await http.send('POST', `/tasks/${id}/cancel`)).status, 202);
  assert.equal((await http.get(`/tasks/${id}?wait=30`)).json.state, 'cancelled');
  assertProblem(await http.send('POST', `/tasks/${id}/cancel`), 409, 'task-already-final');
  const again = await http.send('POST', `/tasks/${id}/retry`, { idempotencyKey: 'again' });
  assert.deepEqual([again.status, again.json.retryOf, again.json.labels], [201, id, { a: 'b' }]);
  const repeated = await other.send('POST', `/tasks/${id}/retry`, undefined, { 'Idempotency-Key': '"again"' });
  assert.deepEqual([repeated.status, repeated.json.id], [200, again.json.id]);
  assert.equal((await other.get(`/tasks/${again.json.id}?wait=30`)).json.result, 7);
  assertProblem(await http.send('POST', `/tasks/${again.json.id}/retry`), 409, 'task-not-retryable');
  assert.equal((await http.send('DELETE', `/tasks/${id}`)).status, 204);
  assertProblem(await other.get(`/tasks/${id}`), 404, 'task-not-found');
});

test('a batch is listed by label within a second, newest first, page by page', { timeout: 60_000 }, async () => {
  const tasks = Array.from({ length: 7 }, (_, i) => ({ type: 'echo', payload: i, labels: { batch: 'x:1' } }));
  const batch = await http.send('POST', '/tasks/batch', { tasks }, { 'Idempotency-Key': 'b' });
  const made: string[] = batch.json.tasks.map(({ id }: { id: string }) => id);
  const list = async (query: string) => await other.get(`/tasks?label=batch:x:1&${query}`);
  await eventually('all are listed', async () => (await list('')).json.tasks.length === tasks.length, 1000);
  const seen: string[] = [];
  let cursor = '';
  do {
    const { json } = await list(`limit=3${cursor && `&cursor=${cursor}`}`);
    seen.push(...json.tasks.map(({ id }: { id: string }) => id));
    cursor = json.nextCursor ?? '';
  } while (cursor !== '');
  assert.deepEqual(seen, made.reverse());
  assert.equal((await http.send('POST', '/tasks/batch', { tasks }, { 'Idempotency-Key': 'b' })).status, 200);
});

test('a paused queue stands still, is told by all, and goes on', { timeout: 60_000 }, async () => {
  const paused = await http.send('PUT', '/queues/still', { paused: true, maxQueued: 1 });
  assert.deepEqual([paused.status, paused.json.paused, paused.json.maxQueued], [200, true, 1]);
  const seen = async () => {
    const { queues } = (await other.get('/queues')).json;
    return queues.find(({ name }: { name: string }) => name === 'still');
  };
  await eventually('the other gateway tells it', async () => (await seen())?.paused);
  const id = await http.submit({ type: 'echo', queue: 'still' });
  await eventually('it waits there', async () => (await seen())?.queued === 1);
  const full = () => other.send('POST', '/tasks', { type: 'echo', queue: 'still' });
  const refused = await eventually('it takes no more', async () => {
    const answer = await full();
    return answer.status === 429 && answer;
  });
  assert.ok(Number(refused.headers['retry-after']) >= 1);
  const going = await other.send('PUT', '/queues/still', { paused: false, maxQueued: null });
  assert.deepEqual([going.json.paused, going.json.maxQueued], [false, null]);
  assert.equal((await http.get(`/tasks/${id}?wait=30`)).json.state, 'succeeded');
});

test('the fleet is told', { timeout: 60_000 }, async () => {
  const { workers } = (await http.get('/workers')).json;
  assert.deepEqual([workers.length, workers[0].id, workers[0].concurrency], [1, 'worker-1', 4]);
  const stats = await eventually('all is done', async () => {
    const { json } = await http.get('/stats');
    return json.slots.free === 4 && json;
  });
  assert.deepEqual([stats.workers, stats.slots.total, stats.tasks.running], [1, 4, 0]);
  assert.ok(stats.tasks.succeeded > 5);
});

test('a gateway that stops ends its streams, answers its waits, and exits cleanly', { timeout: 60_000 }, async () => {
  const gateway = await stack.addGateway();
  const { url } = gateway.client;
  const id = await http.submit({ type: 'echo', delayMs: 3_600_000 });
  const [task, all] = await Promise.all([
    openEventStream(`${url}/tasks/${id}/events`),
    openEventStream(`${url}/events`),
  ]);
  assert.equal((await task.next())?.data.state, 'scheduled');
  const waited = httpClient(url).get(`/tasks/${id}?wait=60`);
  await eventually('it waits', async () =>
    /taskkeeper_waiting_requests 3/.test((await httpClient(url).get('/metrics')).body),
  );
  gateway.process.kill('SIGTERM');
  assert.equal(await task.next(), null);
  let event = await all.next();
  while (event !== null) event = await all.next();
  assert.equal((await waited).json.state, 'scheduled');
  assert.equal((await gateway.process.exited).code, 0);
});
