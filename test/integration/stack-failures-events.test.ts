// Goal: who listens to all events is told of every gap and of nothing twice, whatever becomes of the leading master: killed
// before the first event, hung, or only left alone by all listeners for a while. Method: a real stack with two masters,
// its streams over HTTP and gRPC.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type EventStream, openEventStream } from '../support/event-stream.ts';
import { type Answer, answerOf } from '../support/faces.ts';
import { grpcFace } from '../support/grpc-face.ts';
import { type Stack, stackSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

async function startTwoMasters(t: TestContext): Promise<Stack> {
  return startStack(t, await startZooKeeper(t), { masters: 2, sessionTimeoutMs: stackSessionMs });
}

async function listen(t: TestContext, stack: Stack): Promise<EventStream> {
  const stream = await openEventStream(`${stack.client.url}/events`);
  t.after(() => stream.close());
  assert.equal(stream.status, 200);
  return stream;
}

/** States of the task, up to the final one, as the stream tells them; `reset` for each gap before. */
async function lifeOf(stream: EventStream, id: string): Promise<string[]> {
  const told: string[] = [];
  while (told.at(-1) !== 'succeeded') {
    const next = await stream.next();
    assert.ok(next, 'the stream goes on');
    if (next.event === 'reset') told.push('reset');
    else if (next.data.id === id) told.push(next.data.state);
  }
  return told;
}

const whole = ['queued', 'running', 'succeeded'];

test('the leader is killed before any event was told: a reset, then what comes', { timeout: 60_000 }, async (t) => {
  const stack = await startTwoMasters(t);
  const [http, face] = [await listen(t, stack), grpcFace(t, stack.gateway.grpcAddress)];
  let submitted: Promise<string> = Promise.reject(new Error('not yet'));
  submitted.catch(() => undefined);
  const killAndSubmit = async () => {
    const standby = await stack.standby();
    (await stack.leader()).process.kill('SIGKILL');
    await standby.process.waitForLog(/^leading$/);
    await http.untilText(/event: reset/);
    return (await stack.client.submit({ type: 'echo' })).id;
  };
  const seen = face.watchEvents((all) => all.some(({ event }: Answer) => event?.state === 'succeeded'), {
    onOpen: () => {
      submitted = killAndSubmit();
    },
  });
  const changes: Answer[] = answerOf(await seen);
  const id = await submitted;
  assert.deepEqual(await lifeOf(http, id), ['reset', ...whole]);
  assert.deepEqual(
    changes.map(({ reset, event }) => (reset ? 'reset' : event.state)),
    ['reset', ...whole],
  );
});

test('the leader hangs: the next one is heard, and the old one not when it wakes', { timeout: 60_000 }, async (t) => {
  const stack = await startTwoMasters(t);
  const stream = await listen(t, stack);
  const first = await stack.client.run({ type: 'echo' });
  assert.deepEqual(await lifeOf(stream, first.id), whole);
  const [hung, next] = [await stack.leader(), await stack.standby()];
  hung.process.kill('SIGSTOP');
  await next.process.waitForLog(/^leading$/);
  await stream.untilText(/event: reset/);
  const second = await stack.client.run({ type: 'echo' });
  assert.deepEqual(await lifeOf(stream, second.id), ['reset', ...whole]);
  hung.process.kill('SIGCONT');
  await hung.process.waitForLog(/session .*lost|is lost/);
  const third = await stack.client.run({ type: 'echo' });
  assert.deepEqual(await lifeOf(stream, third.id), whole);
});

test('everybody leaves and comes back: each event is told once', { timeout: 60_000 }, async (t) => {
  const stack = await startTwoMasters(t);
  const early = await listen(t, stack);
  const { id } = await stack.client.run({ type: 'echo' });
  assert.deepEqual(await lifeOf(early, id), whole);
  early.close();
  const [one, two] = [await listen(t, stack), await listen(t, stack)];
  const again = await stack.client.run({ type: 'echo' });
  for (const stream of [one, two]) {
    assert.deepEqual(await lifeOf(stream, again.id), whole);
    const last = await stack.client.run({ type: 'echo' });
    assert.deepEqual(await lifeOf(stream, last.id), whole);
  }
});
