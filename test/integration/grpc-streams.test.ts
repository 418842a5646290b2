// Goal: streams over gRPC on the real thing: each state of a task once and in order, on whichever gateway; a gateway that
// stops sends its listeners elsewhere, where they go on; the examples run. Method: grpc-js clients against a stack of two
// gateways, of which one is stopped.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, status } from '@grpc/grpc-js';
import { onCleanup, wholeFile } from '../support/cleanup.ts';
import { calmSessionMs, type Gateway, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { type Answer, call, connectTasks, failure, reasonOf, Stream } from '../unit/gateway/grpc-client.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, { gateways: 2, sessionTimeoutMs: calmSessionMs });
const [first, second] = stack.gateways as [Gateway, Gateway];
const here = connect(first);
const there = connect(second);

function connect({ grpcAddress }: Gateway): Client {
  const client = connectTasks(grpcAddress);
  onCleanup(wholeFile, () => client.close());
  return client;
}

async function submit(spec: object): Promise<string> {
  return (await call(here, 'SubmitTask', { spec })).task.id;
}

const sleep = (ms: number) => ({ structValue: { fields: { ms: { numberValue: ms } } } });
const statesOf = (changes: Answer[]) => changes.map(({ task }) => task.state.slice('TASK_STATE_'.length));

test('a task is told state by state, also by the gateway that did not take it', async () => {
  const id = await submit({ type: 'sleep', payload: sleep(300), delay_ms: 1000 });
  const streams = [here, there].map((client) => new Stream(client, 'WatchTask', { id }).rest());
  for (const changes of await Promise.all(streams)) {
    assert.deepEqual(statesOf(changes), ['SCHEDULED', 'QUEUED', 'RUNNING', 'SUCCEEDED']);
  }
});

test('each attempt of a task that fails is told', async () => {
  const backoff = { type: 'BACKOFF_TYPE_FIXED', delay_ms: 200 };
  const spec = { type: 'shell', payload: { stringValue: 'exit 1' }, max_attempts: 2, backoff, delay_ms: 1000 };
  const changes = await new Stream(there, 'WatchTask', { id: await submit(spec) }).rest();
  const attempt = ['SCHEDULED', 'QUEUED', 'RUNNING'];
  assert.deepEqual(statesOf(changes), [...attempt, ...attempt, 'FAILED']);
});

test('events of all tasks come as they happen, and can be taken up again', async () => {
  const stream = new Stream(there, 'WatchEvents', {});
  await stream.opened;
  const id = await submit({ type: 'echo' });
  const events: Answer[] = [];
  while (events.at(-1)?.event.state !== 'TASK_STATE_SUCCEEDED') {
    const change = await stream.next();
    if (change.event.id === id) events.push(change);
  }
  stream.cancel();
  const states = events.map(({ event }) => event.state);
  assert.deepEqual(states.slice(-2), ['TASK_STATE_RUNNING', 'TASK_STATE_SUCCEEDED']);
  const resumed = new Stream(there, 'WatchEvents', { last_event_id: events.at(-2).event_id });
  assert.deepEqual(await resumed.next(), events.at(-1));
  resumed.cancel();
});

test('the examples run', async () => {
  for (const [name, last] of [
    ['grpc-submit.mjs', /TASK_STATE_SUCCEEDED hello over gRPC\n$/],
    ['grpc-watch.mjs', /TASK_STATE_RUNNING.*\n.*TASK_STATE_SUCCEEDED *\n$/],
  ] as const) {
    const example = fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [example, second.grpcAddress], { timeout: 60_000 });
    assert.match(stdout, last);
  }
});

test('a gateway that stops sends its listeners elsewhere, and they miss nothing', async () => {
  const id = await submit({ type: 'sleep', payload: sleep(1500) });
  const stream = new Stream(here, 'WatchTask', { id });
  const events = new Stream(here, 'WatchEvents', {});
  await events.opened;
  const seen = [await stream.next()];
  while (seen.at(-1).task.state !== 'TASK_STATE_RUNNING') seen.push(await stream.next());
  first.process.kill('SIGTERM');
  for (const ended of [stream, events]) {
    const error = await failure(ended.rest());
    assert.deepEqual([error.code, reasonOf(error)], [status.UNAVAILABLE, 'shutting-down']);
  }
  assert.equal((await first.process.exited).code, 0);
  const since = await new Stream(there, 'WatchTask', { id, last_event_id: seen.at(-1).event_id }).rest();
  assert.deepEqual(statesOf(since), ['SUCCEEDED']);
});
