// Goal: streams of events are as the contract says, and cost nothing lasting whatever the reader does. Method: real connections on
// loopback to a gateway over a store in memory, with heartbeats and idle times that a test can wait for.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { TaskEvent } from '../../../domain/master-index.ts';
import type { TaskId } from '../../../domain/task.ts';
import { type EventStream, openEventStream } from '../../support/event-stream.ts';
import { assertProblem, type HttpClient, httpClient } from '../../support/http-client.ts';
import { assertDocumented } from '../../support/openapi-check.ts';
import { startTestFace, type TestFace } from './http-harness.ts';

const { eventHeartbeatMs, socketIdleTimeoutMs } = { eventHeartbeatMs: 60, socketIdleTimeoutMs: 600 };
let face: TestFace;
let http: HttpClient;

before(async () => {
  face = await startTestFace({ eventHeartbeatMs, timeouts: { socketIdleTimeoutMs } });
  http = httpClient(face.url);
});

after(() => face.close());

const open = (path: string, lastEventId?: string): Promise<EventStream> =>
  openEventStream(`${face.url}${path}`, lastEventId);

function event(number: number): TaskEvent {
  const id = `task-${String(number).padStart(10, '0')}` as TaskId;
  return { id, type: 'echo', queue: 'default', state: 'running', attempt: 1, worker: 'worker-1', at: 1e12 + number };
}

async function untilNobodyListens(): Promise<void> {
  while (face.api.waiting > 0 || face.store.watchers > 0) await turn();
}

describe('GET /tasks/:id/events', { timeout: 20_000 }, () => {
  it('begins with the present state, tells each change, and ends after the final one', async () => {
    const id = (await http.submit()) as TaskId;
    const stream = await open(`/tasks/${id}/events`);
    assert.equal(stream.status, 200);
    assert.equal(stream.headers.get('content-type'), 'text/event-stream');
    assert.equal(stream.headers.get('cache-control'), 'no-store');
    assert.equal(stream.headers.get('x-accel-buffering'), 'no');
    const first = await stream.next();
    assert.deepEqual([first?.event, first?.data.state], ['task', 'queued']);
    assert.deepEqual(first?.data, (await http.get(`/tasks/${id}`)).json);
    face.store.finish(id, 'succeeded', { x: 'a\nb\u2028' });
    assert.equal((await stream.next())?.data.state, 'running');
    const last = await stream.next();
    assert.deepEqual([last?.data.state, last?.data.result], ['succeeded', { x: 'a\nb\u2028' }]);
    assert.equal(await stream.next(), null);
    assertDocumented({ method: 'GET', path: `/tasks/${id}/events`, status: 200, ...stream.seen() });
    await untilNobodyListens();
  });

  it('goes on after the last event that was seen, and says 204 to who has seen the end', async () => {
    const id = (await http.submit()) as TaskId;
    const stream = await open(`/tasks/${id}/events`);
    const first = await stream.next();
    stream.close();
    face.store.finish(id, 'failed', null);
    const resumed = await open(`/tasks/${id}/events`, first?.id);
    assert.equal((await resumed.next())?.data.state, 'running');
    const last = await resumed.next();
    assert.equal(last?.data.state, 'failed');
    const answer = await http.get(`/tasks/${id}/events`, { 'Last-Event-ID': last?.id ?? '' });
    assert.equal(answer.status, 204);
    await untilNobodyListens();
  });

  it('says reset where it cannot know what was missed', async () => {
    const id = await http.submit();
    const stream = await open(`/tasks/${id}/events`, 'never seen');
    assert.deepEqual(await stream.next(), { event: 'reset', data: {} });
    assert.equal((await stream.next())?.data.state, 'queued');
    stream.close();
    await untilNobodyListens();
  });

  it('says what is wrong before it begins', async () => {
    assertProblem(await http.get('/tasks/task-9999999999/events'), 404, 'task-not-found');
    assertProblem(await http.get('/events?since=1'), 400, 'invalid-request');
    const id = await http.submit();
    const streams = await Promise.all(Array.from({ length: 20 }, () => open(`/tasks/${id}/events`)));
    const refused = await http.get(`/tasks/${id}/events`);
    assertProblem(refused, 429, 'too-many-waits');
    assert.equal(refused.headers['retry-after'], '1');
    for (const stream of streams) stream.close();
    await untilNobodyListens();
  });

  it('has HEAD, which opens nothing', async () => {
    const id = await http.submit();
    for (const path of [`/tasks/${id}/events`, '/events']) {
      const head = await http.send('HEAD', path);
      assert.deepEqual([head.status, head.headers['content-type']], [200, 'text/event-stream']);
      assert.deepEqual([face.api.waiting, face.index.listeners], [0, 0]);
    }
    const none = await http.send('HEAD', '/tasks/task-9999999999/events');
    assert.equal(none.status, 404);
  });
});

describe('GET /events', { timeout: 20_000 }, () => {
  it('tells each change from now on, and goes on after the last one seen', async () => {
    const stream = await open('/events');
    face.index.emit(event(1));
    const first = await stream.next();
    const { at, ...rest } = event(1);
    assert.deepEqual(first, { event: 'task', id: first?.id, data: { ...rest, at: new Date(at).toISOString() } });
    stream.close();
    face.index.emit(event(2));
    const resumed = await open('/events', first?.id);
    assert.equal((await resumed.next())?.data.id, event(2).id);
    resumed.close();
    const lost = await open('/events', 'never seen');
    assert.deepEqual(await lost.next(), { event: 'reset', data: {} });
    lost.close();
    await untilNobodyListens();
  });

  it('sends its headers and a comment at once, and comments while nothing happens', async () => {
    const stream = await open('/events', '');
    await stream.untilText(/^:\n\n:\n\n:\n\n/);
    stream.close();
    await untilNobodyListens();
  });

  it('outlives the idle time while heartbeats go out', async () => {
    const stream = await open('/events');
    const until = performance.now() + 2 * socketIdleTimeoutMs;
    await stream.untilText(new RegExp(`(:\\n\\n){${Math.ceil((2 * socketIdleTimeoutMs) / eventHeartbeatMs) - 4}}`));
    assert.ok(performance.now() > until - 5 * eventHeartbeatMs);
    face.index.emit(event(3));
    assert.equal((await stream.next())?.data.id, event(3).id);
    stream.close();
    await untilNobodyListens();
  });

  it('lets go of a client that stops reading, and what it did not read piles up nowhere', async () => {
    const { hostname, port } = new URL(face.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined).pause();
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    while (face.api.waiting === 0) await turn();
    const padding = 'x'.repeat(100_000);
    let number = 10;
    let buffered = 0;
    while (face.api.waiting > 0) {
      face.index.emit({ ...event(number), type: padding });
      number += 1;
      buffered = Math.max(buffered, face.bufferedBytes());
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.ok(number > 20, `${number} events were told meanwhile`);
    assert.ok(buffered < 1_000_000, `${buffered} bytes piled up`);
    socket.destroy();
    await untilNobodyListens();
  });
});

describe('the end of the gateway', { timeout: 20_000 }, () => {
  it('ends streams in good order', async () => {
    const other = await startTestFace({});
    const id = await httpClient(other.url).submit();
    const streams = [`/tasks/${id}/events`, '/events'].map((path) => openEventStream(other.url + path));
    const [task, all] = await Promise.all(streams);
    assert.equal((await task?.next())?.data.state, 'queued');
    const closed = other.close();
    assert.equal(await task?.next(), null);
    assert.equal(await all?.next(), null);
    await closed;
  });
});
