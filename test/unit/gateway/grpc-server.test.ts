// Goal: the gRPC face says the same as HTTP in its own words: codes, rich details, and waits that end with the call.
// Method: a real grpc-js client on loopback against a gateway over a store in memory.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { type Client, status } from '@grpc/grpc-js';
import { ServiceError } from '../../../domain/errors.ts';
import { limits } from '../../../domain/limits.ts';
import type { Json, TaskId } from '../../../domain/task.ts';
import { valueOfJson } from '../../../gateway/grpc/proto-value.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';
import { type Answer, call, connectTasks, detailsOf, failure } from './grpc-client.ts';

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

const submit = (request: object, options?: object) => call(client, 'SubmitTask', request, options);
const get = (request: object, options?: object) => call(client, 'GetTask', request, options);

describe('SubmitTask', () => {
  it('commits what is set, with the defaults for the rest', async () => {
    const spec = {
      type: 'echo',
      payload: valueOfJson({ a: [1, null] }),
      priority: -5,
      delay_ms: 60_000,
      backoff: { type: 'BACKOFF_TYPE_FIXED', delay_ms: 0 },
      labels: { 'team/a': 'b' },
      max_attempts: 1,
    };
    const { task, created } = await submit({ spec });
    assert.equal(created, true);
    assert.deepEqual(
      [task.state, task.type, task.queue, task.max_attempts],
      ['TASK_STATE_SCHEDULED', 'echo', 'default', 1],
    );
    for (const unset of [
      'worker',
      'progress',
      'started_at',
      'finished_at',
      'result',
      'error',
      'attempts',
      'retry_of',
    ]) {
      assert.equal(unset in task, false, unset);
    }
    const record = gateway.store.submitted.at(-1);
    assert.deepEqual(record?.payload, { a: [1, null] });
    assert.deepEqual(record?.backoff, { type: 'fixed', delayMs: 0, maxDelayMs: null, jitter: true });
    assert.deepEqual([record?.priority, record?.timeoutMs, record?.labels], [-5, 3_600_000, { 'team/a': 'b' }]);
    assert.ok(record && Math.abs((record.runAt ?? 0) - record.submittedAt - 60_000) < 1000);
  });

  it('takes zero for zero, not for unset', async () => {
    const error = await failure(submit({ spec: { type: 'echo', timeout_ms: 0, max_attempts: 0 } }));
    const { BadRequest } = detailsOf(error);
    const fields = BadRequest.field_violations.map(({ field }: Answer) => field).sort();
    assert.deepEqual(fields, ['spec.max_attempts', 'spec.timeout_ms']);
  });

  it('answers the first task again for the same key and spec, also one of HTTP', async () => {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': 'both-faces' };
    const body = JSON.stringify({ type: 'echo', payload: { a: 1, b: 2 } });
    const first = (await (await fetch(`${gateway.url}/tasks`, { method: 'POST', headers, body })).json()) as Answer;
    const spec = { type: 'echo', payload: valueOfJson({ b: 2, a: 1 }) };
    const again = await submit({ spec, idempotency_key: 'both-faces' });
    assert.equal(again.task.id, first.id);
    assert.equal(again.created ?? false, false);
    const error = await failure(submit({ spec: { type: 'echo' }, idempotency_key: 'both-faces' }));
    assert.equal(error.code, status.ALREADY_EXISTS);
    assert.deepEqual(detailsOf(error)['ErrorInfo'], { reason: 'idempotency-key-reused', domain: 'taskkeeper' });
  });

  const refused: [string, object, string[]][] = [
    ['no spec', {}, ['spec']],
    ['no type', { spec: {} }, ['spec.type']],
    ['fields of the spec', { spec: { type: 'a b', priority: 101 } }, ['spec.type', 'spec.priority']],
    ['fields of the backoff', { spec: { type: 'x', backoff: { max_delay_ms: -1 } } }, ['spec.backoff.max_delay_ms']],
    ['an unknown backoff', { spec: { type: 'x', backoff: { type: 9 } } }, ['spec.backoff.type']],
    ['a label', { spec: { type: 'x', labels: { 'a b': '' } } }, ['spec.labels["a b"]']],
    ['delay and time', { spec: { type: 'x', delay_ms: 1, run_at: { seconds: 4e9 } } }, ['spec.run_at']],
    ['a time that is none', { spec: { type: 'x', run_at: { nanos: -1 } } }, ['spec.run_at']],
    [
      'NaN',
      { spec: { type: 'x', payload: { listValue: { values: [{ numberValue: Number.NaN }] } } } },
      ['spec.payload["0"]'],
    ],
    ['a Value without a kind', { spec: { type: 'x', payload: {} } }, ['spec.payload']],
    ['a negative wait', { spec: { type: 'x' }, wait: { seconds: -1 } }, ['wait']],
  ];
  for (const [name, request, fields] of refused) {
    it(`refuses ${name} by field`, async () => {
      const error = await failure(submit(request));
      assert.equal(error.code, status.INVALID_ARGUMENT);
      const { BadRequest, ErrorInfo, RetryInfo } = detailsOf(error);
      assert.equal(ErrorInfo.reason, 'invalid-request');
      assert.deepEqual(
        BadRequest.field_violations.map(({ field }: Answer) => field),
        fields,
      );
      assert.equal(RetryInfo, undefined);
      assert.ok(!/\/[a-z]/.test(error.details), error.details);
    });
  }

  it('refuses a bad key, too much, too deep', async () => {
    assert.equal((await failure(submit({ spec: { type: 'x' }, idempotency_key: 'ü' }))).code, status.INVALID_ARGUMENT);
    const large = await failure(
      submit({ spec: { type: 'x', payload: { stringValue: 'x'.repeat(limits.payloadBytesMax) } } }),
    );
    assert.equal(large.code, status.INVALID_ARGUMENT);
    assert.equal(detailsOf(large)['ErrorInfo'].reason, 'payload-too-large');
    const huge = { stringValue: 'x'.repeat(limits.requestBodyBytesMax) };
    assert.equal((await failure(submit({ spec: { type: 'x', payload: huge } }))).code, status.RESOURCE_EXHAUSTED);
  });

  it('refuses a message that nests too deeply, or is none', async () => {
    const path = '/taskkeeper.v1.TaskService/SubmitTask';
    const send = (bytes: Buffer) =>
      new Promise((resolve, reject) => {
        const raw = (value: Buffer) => value;
        client.makeUnaryRequest(path, raw, raw, bytes, (error, answer) => (error ? reject(error) : resolve(answer)));
      });
    for (const bytes of [Buffer.from('ffffff', 'hex'), deepSubmit(20_000), deepSubmit(60)]) {
      const error = await failure(send(bytes));
      assert.equal(error.code, status.INVALID_ARGUMENT, error.message);
      assert.equal(detailsOf(error)['ErrorInfo'].reason, 'invalid-request');
    }
  });

  it('says what the store says, with when to try again', async () => {
    try {
      gateway.store.failure = new ServiceError('coordination-unavailable', 'Gone.', { retryAfterMs: 1500 });
      const error = await failure(submit({ spec: { type: 'echo' } }));
      assert.equal(error.code, status.UNAVAILABLE);
      const { ErrorInfo, RetryInfo } = detailsOf(error);
      assert.equal(ErrorInfo.reason, 'coordination-unavailable');
      assert.deepEqual(RetryInfo.retry_delay, { seconds: 1, nanos: 500_000_000 });
    } finally {
      gateway.store.failure = null;
    }
  });
});

/** A SubmitTaskRequest whose payload is so many lists inside each other, without a recursive writer. */
function deepSubmit(depth: number): Buffer {
  const field = (number: number, body: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2]), varint(body.length), body]);
  let value = Buffer.from([0x08, 0x00]);
  for (let i = 0; i < depth; i += 1) value = field(6, field(1, value));
  return field(1, Buffer.concat([field(1, Buffer.from('echo')), field(2, value)]));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

describe('GetTask', () => {
  it('waits for the end and answers all there is', async () => {
    const { task } = await submit({ spec: { type: 'echo' } });
    const answer = get({ id: task.id, wait: { seconds: 30 } });
    await gateway.store.untilWatched();
    gateway.store.finish(task.id as TaskId, 'succeeded', { n: 1.5 } as Json);
    const { task: final } = await answer;
    assert.equal(final.state, 'TASK_STATE_SUCCEEDED');
    assert.deepEqual(final.result, valueOfJson({ n: 1.5 }));
    assert.equal(final.attempts[0].outcome, 'ATTEMPT_OUTCOME_SUCCEEDED');
    assert.equal(final.worker, 'worker-1');
    assert.ok(final.finished_at.seconds > 1.7e9);
  });

  it('answers the present state when the time is up', async () => {
    const { task } = await submit({ spec: { type: 'echo' }, wait: { nanos: 20_000_000 } });
    assert.equal((await get({ id: task.id, wait: { nanos: 20_000_000 } })).task.state, 'TASK_STATE_QUEUED');
  });

  it('finds no task that cannot be one', async () => {
    for (const id of ['', 'task-1', '../master', 'task-9999999999']) {
      const error = await failure(get({ id }));
      assert.equal(error.code, status.NOT_FOUND);
      assert.equal(detailsOf(error)['ErrorInfo'].reason, 'task-not-found');
    }
  });

  it('ends its wait with the deadline or the cancellation of the call', { timeout: 10_000 }, async () => {
    const { task } = await submit({ spec: { type: 'echo' } });
    const request = { id: task.id, wait: { seconds: 30 } };
    const late = await failure(get(request, { deadline: Date.now() + 100 }));
    assert.equal(late.code, status.DEADLINE_EXCEEDED);
    await gateway.store.untilUnwatched();
    const cancelled = (client as Answer).GetTask(request, () => undefined);
    await gateway.store.untilWatched();
    cancelled.cancel();
    await gateway.store.untilUnwatched();
  });

  it('does not begin with a call that had ended before its request was complete', async () => {
    const { task } = await submit({ spec: { type: 'echo' } });
    const session = connectHttp2(`http://${gateway.grpcAddress}`);
    const request = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '50m' };
    const stream = session.request({ ...request, ':path': '/taskkeeper.v1.TaskService/GetTask' });
    const message = Buffer.from(`\x0a\x0f${task.id}\x12\x02\x08\x1e`); // the id, and a wait of 30 s
    stream.write(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
    const [headers] = await once(stream, 'response');
    assert.equal(headers['grpc-status'], String(status.DEADLINE_EXCEEDED));
    const reads = gateway.store.reads;
    stream.end();
    await new Promise((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve(null))));
    await get({ id: task.id });
    assert.equal(gateway.store.reads, reads + 1);
    assert.equal(gateway.store.watchers, 0);
    session.close();
  });

  it('answers a task that is nested as deeply as any reader takes, and not one that is deeper', async () => {
    const deep = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as Json;
    const { task } = await submit({ spec: { type: 'echo' } });
    gateway.store.finish(task.id as TaskId, 'succeeded', deep(32));
    assert.deepEqual((await get({ id: task.id })).task.result, valueOfJson(deep(32)));
    gateway.store.finish(task.id as TaskId, 'succeeded', deep(33));
    const { task: deeper } = await get({ id: task.id });
    assert.deepEqual([deeper.state, deeper.result, deeper.omitted], ['TASK_STATE_SUCCEEDED', undefined, ['result']]);
  });
});
