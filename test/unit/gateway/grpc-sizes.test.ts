// Goal: answers with many tasks, or odd ones, are within what clients receive (4 MiB), and say what they left out; error
// details are within what clients take as headers (8 KiB). Method: payloads full of small numbers, which are over five
// times as large in protobuf as in JSON, through a real grpc-js client with its default limits.

import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { type Client, status } from '@grpc/grpc-js';
import { limits } from '../../../domain/limits.ts';
import type { Json, TaskId } from '../../../domain/task.ts';
import { untakenAnswers } from '../../../gateway/held-bytes.ts';
import { serverLimits } from '../../../gateway/server-limits.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';
import { type Answer, call, connectTasks, failure, reasonOf, violatedFields } from './grpc-client.ts';

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

const ask = (method: string, request: object = {}) => call(client, method, request);

/** As JSON so many bytes. */
function ones(bytes: number): Json {
  return Array(Math.floor((bytes - 1) / 2)).fill(1) as Json;
}

async function submit(spec: object = {}): Promise<TaskId> {
  return (await ask('SubmitTask', { spec: { type: 'echo', ...spec } })).task.id;
}

function setPayload(id: TaskId, payload: Json): void {
  const task = gateway.store.tasks.get(id);
  assert.ok(task?.record);
  gateway.store.put({ ...task, record: { ...task.record, payload } });
}

describe('answers that nobody takes', () => {
  it('are bounded: the connection for which they have been held longest is ended, and others go on', async () => {
    const id = await submit();
    setPayload(id, 'x'.repeat(250_000));
    gateway.store.finish(id, 'succeeded', 'y'.repeat(250_000));
    const request = Buffer.from(`\x00\x00\x00\x00\x11\x0a\x0f${id}`);
    const sessions = ['first', 'second'].map(() => connectHttp2(`http://${gateway.grpcAddress}`));
    const [first, second] = sessions;
    assert.ok(first && second);
    for (const session of sessions) session.on('error', () => undefined);
    // 500 KB each, of which the stream gives room for 64.
    const half = Math.ceil((0.6 * serverLimits.untakenBytesMax) / 500_000);
    await Promise.all(Array.from({ length: half }, () => deafCall(first, request)));
    assert.equal(first.destroyed, false);
    const firstEnded = new Promise((resolve) => first.once('close', resolve));
    for (let calls = 0; calls < half; calls += 1) void deafCall(second, request);
    await firstEnded;
    assert.equal(second.destroyed, false);
    assert.ok(untakenAnswers.bytes <= serverLimits.untakenBytesMax);
    assert.equal((await ask('GetTask', { id })).task.state, 'TASK_STATE_SUCCEEDED');
    second.destroy();
    await eventually('nothing is held', () => untakenAnswers.bytes === 0);
  });
});

/** Resolves with its headers; of the answer nothing is read. */
function deafCall(session: ClientHttp2Session, request: Buffer): Promise<unknown> {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/taskkeeper.v1.TaskService/GetTask',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.end(request);
  return new Promise((resolve) => stream.once('response', resolve).once('close', resolve));
}

describe('one task', () => {
  it('is answered whole with the largest payload and result there are', async () => {
    const id = await submit();
    setPayload(id, ones(limits.payloadBytesMax));
    gateway.store.finish(id, 'succeeded', ones(limits.resultBytesMax));
    const { task } = await ask('GetTask', { id });
    assert.equal(task.payload.listValue.values.length, limits.payloadBytesMax / 2 - 1);
    assert.equal(task.result.listValue.values.length, limits.resultBytesMax / 2 - 1);
    assert.deepEqual(task.omitted ?? [], []);
  });

  it('made by hand and too large is answered without what is large, and says so', async () => {
    const id = await submit({ labels: { a: 'b' } });
    setPayload(id, ones(limits.recordBytesMax));
    gateway.store.finish(id, 'succeeded', ones(limits.recordBytesMax));
    const { task } = await ask('GetTask', { id });
    assert.deepEqual([task.state, task.labels, task.payload], ['TASK_STATE_SUCCEEDED', { a: 'b' }, undefined]);
    assert.deepEqual(task.omitted, ['payload', 'progress', 'result', 'error', 'attempts']);
    const page = await ask('ListTasks', { limit: 1 });
    assert.deepEqual(page.tasks, [task]);
  });
});

describe('a list', () => {
  it('has as many tasks as fit, and goes on after them', async () => {
    const queue = 'large';
    const ids: TaskId[] = [];
    for (let i = 0; i < 12; i += 1) {
      ids.unshift(await submit({ queue }));
      setPayload(ids[0] as TaskId, ones(limits.payloadBytesMax / 2));
    }
    const seen: string[] = [];
    const pages: number[] = [];
    for (let cursor = ''; ; ) {
      const page = await ask('ListTasks', { queue, cursor });
      pages.push(page.tasks.length);
      seen.push(...page.tasks.map((task: Answer) => task.id));
      assert.ok(page.tasks.every((task: Answer) => task.payload && !task.omitted));
      if (!page.next_cursor) break;
      cursor = page.next_cursor;
    }
    assert.deepEqual(seen, ids);
    // 720 KB each; as JSON all of them would have fitted.
    assert.deepEqual(pages, [5, 5, 2]);
  });
});

describe('a batch that is repeated with its key', () => {
  it('is answered whole where that fits, and else without what is large, all tasks in any case', async () => {
    const specs = Array.from({ length: 50 }, (_, n) => ({ type: 'echo', payload: { numberValue: n } }));
    const { tasks } = await ask('SubmitTasks', { specs, idempotency_key: 'large' });
    const ids = tasks.map(({ id }: Answer) => id);
    for (const id of ids.slice(0, 2)) gateway.store.finish(id, 'succeeded', ones(limits.resultBytesMax));
    const whole = await ask('SubmitTasks', { specs, idempotency_key: 'large' });
    assert.deepEqual(
      whole.tasks.map((task: Answer) => [task.payload.numberValue, 'omitted' in task]),
      specs.map((_, n) => [n, false]),
    );
    for (const id of ids) gateway.store.finish(id, 'succeeded', ones(limits.resultBytesMax));
    const again = await ask('SubmitTasks', { specs, idempotency_key: 'large' });
    assert.equal(again.created ?? false, false);
    assert.deepEqual(
      again.tasks.map((task: Answer) => [task.id, task.state, task.omitted.includes('result')]),
      ids.map((id: string) => [id, 'TASK_STATE_SUCCEEDED', true]),
    );
  });
});

describe('error details', () => {
  it('are cut where what the client made up is long', async () => {
    const labels = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`${i}${'ü\u{1f600}'.repeat(5000)}`, 'x']));
    const error = await failure(ask('SubmitTask', { spec: { type: 'echo', labels } }));
    assert.equal(error.code, status.INVALID_ARGUMENT, error.details);
    assert.equal(reasonOf(error), 'invalid-request');
    assert.ok(violatedFields(error).length > 0);
    assert.ok(violatedFields(error).every((field) => field.startsWith('spec.labels[')));
    const rest = Object.entries(error.metadata.getMap()).map(([name, value]) => name.length + value.length * 1.34);
    const size = encodeURI(error.details).length + rest.reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(size < 8192, `${size} bytes of headers`);
  });

  it('name as many fields as fit', async () => {
    const specs = Array.from({ length: 100 }, () => ({ type: 'a b', queue: 'c d', priority: 1000 }));
    const error = await failure(ask('SubmitTasks', { specs }));
    assert.deepEqual(violatedFields(error).slice(0, 4), [
      'specs[0].type',
      'specs[0].queue',
      'specs[0].priority',
      'specs[1].type',
    ]);
    assert.match(error.details, /; and more\.$/);
  });

  it('of a message that is too large are none, for grpc-js refuses it by itself', async () => {
    const payload = { stringValue: 'x'.repeat(limits.requestBodyBytesMax) };
    const error = await failure(ask('SubmitTask', { spec: { type: 'echo', payload } }));
    assert.equal(error.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(error.metadata.get('grpc-status-details-bin'), []);
    assert.match(error.details, /1048576/);
  });
});
