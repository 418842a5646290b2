// Goal: the two streams of the gRPC face tell each change, end as their comments say, and leave nothing behind, whoever ends
// them and how; a client that does not read costs nothing that grows. Method: a real grpc-js client, and where a client
// misbehaves bare HTTP/2, against a gateway over a store and an index in memory.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { type Client, status } from '@grpc/grpc-js';
import { limits } from '../../../domain/limits.ts';
import type { TaskEvent } from '../../../domain/master-index.ts';
import type { AssignmentRecord, TaskId, WorkerId } from '../../../domain/task.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';
import { type Answer, call, connectTasks, detailsOf, failure, reasonOf, Stream } from './grpc-client.ts';

let gateway: TestGateway;
let client: Client;

before(async () => {
  gateway = await startTestGateway();
  client = connectTasks(gateway.grpcAddress);
});

after(async () => {
  client.close();
  await gateway.drain();
});

async function submit(): Promise<TaskId> {
  return (await call(client, 'SubmitTask', { spec: { type: 'echo' } })).task.id;
}

function run(id: TaskId, record: Partial<AssignmentRecord> = {}): void {
  const task = gateway.store.tasks.get(id);
  assert.ok(task);
  const assigned = { attempt: 1, startedAt: 5, withdraw: null, progress: null, ...record };
  gateway.store.put({ ...task, assignment: { worker: 'w' as WorkerId, record: assigned } });
}

async function waiting(of = gateway): Promise<number> {
  const gauge = await of.registry.getSingleMetric('taskkeeper_waiting_requests')?.get();
  return gauge?.values[0]?.value ?? Number.NaN;
}

async function nothingLeft(): Promise<void> {
  await eventually('nothing waits', async () => (await waiting()) === 0 && gateway.store.watchers === 0);
}

async function counted(method: string, ...codes: string[]): Promise<void> {
  const lines = codes.map((code) => `call_duration_seconds_count{method="${method}",code="${code}"}`);
  await eventually(`${method} was counted with ${codes}`, async () => {
    const text = await gateway.registry.metrics();
    return lines.some((line) => text.includes(line));
  });
}

function event(number: number): TaskEvent {
  const id = `task-${String(number).padStart(10, '0')}` as TaskId;
  return { id, type: 'echo', queue: null, state: 'running', attempt: 1, worker: 'w', at: 1_700_000_000_000 + number };
}

const watch = (request: object, options?: object) => new Stream(client, 'WatchTask', request, options);
const watchEvents = (request: object = {}) => new Stream(client, 'WatchEvents', request);

describe('WatchTask', () => {
  it('tells the present, each change, and ends with OK after the end', async () => {
    const id = await submit();
    const stream = watch({ id });
    assert.equal((await stream.next()).task.state, 'TASK_STATE_QUEUED');
    run(id);
    assert.equal((await stream.next()).task.state, 'TASK_STATE_RUNNING');
    run(id, { progress: { percent: 50, message: 'half' } });
    assert.deepEqual((await stream.next()).task.progress, { percent: 50, message: 'half' });
    gateway.store.finish(id, 'succeeded', 42);
    const rest = await stream.rest();
    assert.deepEqual(
      rest.map(({ task }) => [task.state, task.result]),
      [['TASK_STATE_SUCCEEDED', { numberValue: 42 }]],
    );
    await nothingLeft();
    await counted('WatchTask', 'OK');
  });

  it('goes on after the event that was seen last, and ends at once where that was the end', async () => {
    const id = await submit();
    const { event_id: queued } = await watch({ id }).next();
    run(id);
    gateway.store.finish(id, 'failed', null);
    const since = await watch({ id, last_event_id: queued }).rest();
    assert.deepEqual(
      since.map(({ task }) => task.state),
      ['TASK_STATE_RUNNING', 'TASK_STATE_FAILED'],
    );
    assert.deepEqual(await watch({ id, last_event_id: since.at(-1).event_id }).rest(), []);
    const [reset, present] = await watch({ id, last_event_id: 'never heard of' }).rest();
    assert.ok(reset.reset);
    assert.equal(reset.event_id ?? '', '');
    assert.equal(present.task.state, 'TASK_STATE_FAILED');
    await nothingLeft();
  });

  it('is NOT_FOUND for a task that is not there, and for one that goes', async () => {
    for (const id of ['', 'task-0000099999', '../master']) {
      const error = await failure(watch({ id }).next());
      assert.deepEqual([error.code, reasonOf(error)], [status.NOT_FOUND, 'task-not-found']);
    }
    const id = await submit();
    const stream = watch({ id });
    await stream.next();
    gateway.store.forget(id);
    const error = await failure(stream.next());
    assert.deepEqual([error.code, reasonOf(error)], [status.NOT_FOUND, 'task-not-found']);
    await nothingLeft();
    await counted('WatchTask', 'NOT_FOUND');
  });

  it('ends with the deadline, with a cancellation, and with the connection', async () => {
    const id = await submit();
    const late = watch({ id }, { deadline: Date.now() + 200 });
    await late.next();
    assert.equal((await failure(late.next())).code, status.DEADLINE_EXCEEDED);
    await nothingLeft();
    // The client ends the call at the same time.
    await counted('WatchTask', 'DEADLINE_EXCEEDED', 'CANCELLED');
    const cancelled = watch({ id });
    await cancelled.next();
    assert.equal(await waiting(), 1);
    cancelled.cancel();
    await nothingLeft();
    await counted('WatchTask', 'CANCELLED');
    const other = connectTasks(gateway.grpcAddress);
    const cut = new Stream(other, 'WatchTask', { id });
    await cut.next();
    other.close();
    cut.cancel();
    await nothingLeft();
  });

  it('ends with its deadline also where the client reads nothing', async () => {
    const id = await submit();
    run(id, { progress: { percent: 1, message: 'x'.repeat(4000) } });
    const task = gateway.store.tasks.get(id);
    assert.ok(task?.record);
    gateway.store.put({ ...task, record: { ...task.record, payload: 'x'.repeat(200_000) } });
    const { session, stream } = await deafCall('WatchTask', Buffer.from(`\x0a\x0f${id}`), '300m');
    assert.equal(await waiting(), 1);
    await nothingLeft();
    assert.equal(stream.closed, false);
    session.destroy();
  });

  it('is refused with details where too many wait', async () => {
    const id = await submit();
    const streams = Array.from({ length: 100 }, () => watch({ id }));
    await Promise.all(streams.map((stream) => stream.next()));
    const error = await failure(watch({ id }).next());
    assert.deepEqual([error.code, reasonOf(error)], [status.RESOURCE_EXHAUSTED, 'too-many-waits']);
    assert.equal(detailsOf(error)['RetryInfo'].retry_delay.seconds, 1);
    for (const stream of streams) stream.cancel();
    await nothingLeft();
  });
});

describe('WatchEvents', () => {
  it('tells what happens from its headers on, and goes on where it was', async () => {
    const stream = watchEvents();
    await stream.opened;
    gateway.index.emit(event(1));
    gateway.index.emit(event(2));
    const first = await stream.next();
    assert.equal(first.event.id, 'task-0000000001');
    const { seconds, nanos } = first.event.at;
    assert.deepEqual([seconds, nanos], [1_700_000_000, 1_000_000]);
    assert.deepEqual([first.event.state, 'queue' in first.event], ['TASK_STATE_RUNNING', false]);
    stream.cancel();
    const resumed = watchEvents({ last_event_id: first.event_id });
    assert.equal((await resumed.next()).event.id, 'task-0000000002');
    resumed.cancel();
    const lost = watchEvents({ last_event_id: 'e-99999' });
    assert.ok((await lost.next()).reset);
    lost.cancel();
    await nothingLeft();
    await counted('WatchEvents', 'CANCELLED');
  });

  it('keeps no more than the ring for a client that does not read, and tells it what it missed', async () => {
    const events = limits.eventsKept * 2;
    const { session, stream } = await deafCall('WatchEvents', Buffer.alloc(0));
    const quick = watchEvents();
    await quick.opened;
    for (let i = 0; i < events; i += 1) {
      gateway.index.emit(event(i));
      // The deaf one has its chance to read along.
      while (i % 250 === 249 && (await quick.next()).event.id !== event(i).id);
    }
    quick.cancel();
    const messages = reader(stream);
    let told = 0;
    // A reset has an empty message in its field and nothing else.
    while ((await messages()).length > 2) told += 1;
    gateway.index.emit(event(events));
    assert.ok((await messages()).includes(event(events).id));
    assert.ok(told < 5000, `${told} of ${events} events waited outside of the ring`);
    session.destroy();
    await nothingLeft();
  });

  it('is UNAVAILABLE where no master leads when it begins', async () => {
    const other = await startTestGateway();
    other.index.leading = false;
    const another = connectTasks(other.grpcAddress);
    const error = await failure(new Stream(another, 'WatchEvents', {}).next());
    assert.deepEqual([error.code, reasonOf(error)], [status.UNAVAILABLE, 'no-leader']);
    assert.ok(detailsOf(error)['RetryInfo']);
    another.close();
    await other.drain();
  });
});

describe('a gateway that stops', () => {
  it('ends streams with UNAVAILABLE, and is not held up by those who do not read', async () => {
    const other = await startTestGateway();
    const another = connectTasks(other.grpcAddress);
    const { task } = await call(another, 'SubmitTask', { spec: { type: 'echo' } });
    const streams = [new Stream(another, 'WatchTask', { id: task.id }), new Stream(another, 'WatchEvents', {})];
    await streams[0]?.next();
    await streams[1]?.opened;
    const { session, stream: deaf } = await deafCall('WatchEvents', Buffer.alloc(0), undefined, other);
    for (let i = 0; i < 5000; i += 1) other.index.emit(event(i));
    await eventually('nothing more goes to who does not read', () => deaf.readableLength > 60_000);
    const startedAt = performance.now();
    const drained = other.drain();
    for (const stream of streams) {
      const error = await failure(stream.rest());
      assert.deepEqual([error.code, reasonOf(error)], [status.UNAVAILABLE, 'shutting-down']);
      assert.ok(detailsOf(error)['RetryInfo']);
    }
    await drained;
    assert.ok(performance.now() - startedAt < 5000);
    assert.deepEqual([await waiting(other), other.store.watchers], [0, 0]);
    session.destroy();
    another.close();
  });
});

/** A call over bare HTTP/2 by somebody who reads nothing of its answer but the headers. */
async function deafCall(method: string, message: Buffer, timeout?: string, of = gateway) {
  const session = connectHttp2(`http://${of.grpcAddress}`);
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': `/taskkeeper.v1.TaskService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(timeout !== undefined && { 'grpc-timeout': timeout }),
  });
  stream.on('error', () => undefined);
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
  await once(stream, 'response');
  return { session, stream };
}

/** The messages of a call, as bytes. */
function reader(stream: ClientHttp2Stream): () => Promise<Buffer> {
  const chunks: AsyncIterator<Answer> = stream[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  return async () => {
    for (;;) {
      const length = held.length >= 5 ? held.readUInt32BE(1) : Number.POSITIVE_INFINITY;
      if (held.length >= 5 + length) {
        const message = held.subarray(5, 5 + length);
        held = held.subarray(5 + length);
        return message;
      }
      const { value, done } = await chunks.next();
      assert.ok(!done, 'the stream goes on');
      held = Buffer.concat([held, value as Buffer]);
    }
  };
}
