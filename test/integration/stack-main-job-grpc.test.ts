// Goal: the main job over gRPC, on the same tasks as HTTP. Method: a grpc-js client made from the .proto alone, as a user
// would make one, against real processes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, credentials, loadPackageDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { onCleanup, wholeFile } from '../support/cleanup.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

// biome-ignore lint/suspicious/noExplicitAny: messages are looked at field by field
type Message = any;

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: calmSessionMs });
const call = connect(stack.gateway.grpcAddress);

function connect(address: string) {
  const proto = fileURLToPath(new URL('../../../proto/taskkeeper/v1/task_service.proto', import.meta.url));
  const loaded = loadPackageDefinition(loadSync(proto, { keepCase: true, longs: Number, enums: String })) as Message;
  const client = new loaded.taskkeeper.v1.TaskService(address, credentials.createInsecure()) as Client;
  onCleanup(wholeFile, () => client.close());
  const verb = (name: 'SubmitTask' | 'GetTask') =>
    promisify((client as Message)[name].bind(client)) as (request: object) => Promise<Message>;
  return { submit: verb('SubmitTask'), get: verb('GetTask') };
}

const text = (stringValue: string) => ({ stringValue });

test('submit, wait, get', async () => {
  const { task, created } = await call.submit({ spec: { type: 'shell', payload: text('echo hello') } });
  assert.deepEqual([created, task.state, task.type], [true, 'TASK_STATE_QUEUED', 'shell']);
  const { task: done } = await call.get({ id: task.id, wait: { seconds: 20 } });
  assert.equal(done.state, 'TASK_STATE_SUCCEEDED');
  assert.equal(done.result.structValue.fields.stdout.stringValue, 'hello\n');
  assert.equal(done.attempts[0].outcome, 'ATTEMPT_OUTCOME_SUCCEEDED');
});

test('a submit that waits is answered with the final task', async () => {
  const { task } = await call.submit({ spec: { type: 'echo', payload: { numberValue: 42 } }, wait: { seconds: 20 } });
  assert.deepEqual([task.state, task.result.numberValue], ['TASK_STATE_SUCCEEDED', 42]);
});

test('one task, two faces', async () => {
  const spec = { type: 'echo', payload: text('same') };
  const { task } = await call.submit({ spec, idempotency_key: 'shared' });
  const http = { type: 'echo', payload: 'same' };
  const again = await stack.client.request('POST', '/tasks', http, { 'idempotency-key': 'shared' });
  assert.deepEqual([again.status, again.body.id], [200, task.id]);
  const repeated = await call.submit({ spec, idempotency_key: 'shared', wait: { seconds: 20 } });
  assert.deepEqual([repeated.created, repeated.task.id, repeated.task.state], [false, task.id, 'TASK_STATE_SUCCEEDED']);
  await rejectsWith(call.submit({ spec: { type: 'echo' }, idempotency_key: 'shared' }), status.ALREADY_EXISTS);
  const overHttp = await stack.client.submit({ type: 'sleep', payload: { ms: 100 } });
  const { task: seen } = await call.get({ id: overHttp.id, wait: { seconds: 20 } });
  assert.equal(seen.state, 'TASK_STATE_SUCCEEDED');
});

test('what fails has its error and attempts', async () => {
  const spec = { type: 'shell', payload: text('exit 3'), max_attempts: 2, backoff: { delay_ms: 1 } };
  const { task } = await call.submit({ spec, wait: { seconds: 20 } });
  assert.deepEqual([task.state, task.error.code, task.attempts.length], ['TASK_STATE_FAILED', 'exit_code', 2]);
});

test('errors have their codes', async () => {
  await rejectsWith(call.get({ id: 'task-2147483640' }), status.NOT_FOUND);
  await rejectsWith(call.submit({ spec: { type: 'no such/name' } }), status.INVALID_ARGUMENT);
});

async function rejectsWith(promise: Promise<unknown>, code: status): Promise<void> {
  await assert.rejects(promise, (error: ServiceError) => error.code === code);
}
