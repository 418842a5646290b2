// Goal: whatever is sent over gRPC, the gateway answers one of the codes that the .proto names, never INTERNAL or UNKNOWN,
// goes on, and leaves nothing in the tree but what the contract knows. Method: for each method of the .proto, messages
// whose fields are made up, and bytes that are no message at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, type ServiceError, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { wholeFile } from '../support/cleanup.ts';
import { strangeZnodes } from '../support/contract-tree.ts';
import { type Answer, answerOf } from '../support/faces.ts';
import { detailsOf } from '../support/grpc-details.ts';
import { grpcFace, taskServiceClient } from '../support/grpc-face.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: calmSessionMs });
const client = taskServiceClient(wholeFile, stack.gateway.grpcAddress);
const face = grpcFace(wholeFile, stack.gateway.grpcAddress);
const { id: someTask } = await stack.client.submit({ type: 'nobody-runs-this' });
const { id: endedTask } = await stack.client.run({ type: 'echo' });

interface Method {
  readonly path: string;
  readonly responseStream: boolean;
  readonly requestSerialize: (message: object) => Buffer;
  readonly requestType: { readonly type: { readonly field: readonly Field[] } };
}
interface Field {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly typeName: string;
}

const methods = (client.constructor as unknown as { service: Record<string, Method> }).service;

const text = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    '../..',
    '/',
    '\u0000',
    '__proto__',
    'constructor',
    'ü',
    'x'.repeat(3000),
    'nobody-runs-this',
    'default',
  ),
  fc.constantFrom(someTask, endedTask, `${someTask}/status`, 'task-99999999999999999999', 'paused', 'settings.paused'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const number = fc.oneof(fc.constantFrom(0, 1, -1, 50, 2 ** 31 - 1, -(2 ** 31)), fc.integer());
const double = fc.oneof(fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e308, 0.5), fc.double());
const long = fc.oneof(
  fc.constantFrom('0', '-1', '9223372036854775807', '-9223372036854775808', '253402300800'),
  fc.integer().map(String),
);
const span = fc.record({ seconds: long, nanos: number }, { requiredKeys: [] });
const value: fc.Arbitrary<object> = fc.oneof(
  fc.constant({}),
  text.map((stringValue) => ({ stringValue })),
  double.map((numberValue) => ({ numberValue })),
  fc.integer({ min: 1, max: 40 }).map((depth) => {
    let nested: object = { boolValue: true };
    for (let level = 0; level < depth; level += 1) nested = { listValue: { values: [nested] } };
    return nested;
  }),
  fc
    .dictionary(
      text,
      text.map((stringValue) => ({ stringValue })),
      { maxKeys: 3 },
    )
    .map((fields) => ({ structValue: { fields } })),
);
const backoff = fc.record(
  { type: fc.constantFrom(0, 1, 2, 3, -1), delay_ms: long, max_delay_ms: long, jitter: fc.boolean() },
  { requiredKeys: [] },
);
const labels = fc.dictionary(text, text, { maxKeys: 20 });
const settings = fc.record(
  { paused: fc.boolean(), concurrency: number, rate_per_second: double, burst: number, max_queued: number },
  { requiredKeys: [] },
);
const spec = fc.record(
  {
    type: text,
    payload: value,
    queue: text,
    priority: number,
    delay_ms: long,
    run_at: span,
    timeout_ms: long,
    max_attempts: number,
    backoff,
    labels,
    retention_ms: long,
    deadline_ms: long,
    exclusive_key: text,
    after: fc.array(text, { maxLength: 3 }),
    after_members: fc.array(number, { maxLength: 3 }),
    after_failure: fc.constantFrom(0, 1, 2, 3, 4, -1),
  },
  { requiredKeys: [] },
);

/** Values for a field by its name where it is a message, by its type otherwise. */
const messages: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  ...{
    spec,
    specs: fc.array(spec, { maxLength: 4 }),
    wait: fc.oneof(span, fc.constant({ nanos: 1 })),
    labels,
    settings,
  },
  ...{ update_mask: fc.record({ paths: fc.array(text, { maxLength: 4 }) }), state: fc.constantFrom(0, 1, 4, 7, -1) },
};

function valueOfField({ name, type }: Field): fc.Arbitrary<unknown> {
  return messages[name] ?? (type === 'TYPE_STRING' ? text : type === 'TYPE_DOUBLE' ? double : number);
}

function messageOf(method: Method): fc.Arbitrary<Buffer> {
  const fields = Object.fromEntries(method.requestType.type.field.map((field) => [field.name, valueOfField(field)]));
  return fc.record(fields, { requiredKeys: [] }).map((message) => method.requestSerialize(message));
}

const deadlineMs = 300;
const allowed = new Set([
  ...[status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND, status.ALREADY_EXISTS, status.FAILED_PRECONDITION],
  ...[status.RESOURCE_EXHAUSTED, status.DEADLINE_EXCEEDED], // the deadline ends long waits and streams
]);

function codeOf(method: Method, bytes: Buffer): Promise<{ code: status; error: ServiceError | null }> {
  const whole = (message: Buffer) => message;
  const options = { deadline: Date.now() + deadlineMs };
  const raw = client as unknown as Client;
  return new Promise((resolve) => {
    const done = (error: ServiceError | null) => resolve({ code: error?.code ?? status.OK, error });
    if (!method.responseStream) {
      raw.makeUnaryRequest(method.path, whole, whole, bytes, options, (error) => done(error));
      return;
    }
    const stream = raw.makeServerStreamRequest(method.path, whole, whole, bytes, options as never);
    stream.on('data', () => undefined);
    stream.on('error', (error) => done(error as ServiceError));
    stream.on('end', () => done(null));
  });
}

async function mustBeSound(method: Method, bytes: Buffer): Promise<void> {
  const { code, error } = await codeOf(method, bytes);
  assert.ok(allowed.has(code), `${status[code]}: ${error?.details}`);
  if (!error || code === status.DEADLINE_EXCEEDED) return;
  const { ErrorInfo, BadRequest } = detailsOf(error);
  assert.equal(ErrorInfo?.domain, 'taskkeeper', error.details);
  for (const { field, description } of BadRequest?.field_violations ?? []) assert.ok(field && description);
}

for (const method of Object.values(methods)) {
  const name = method.path.split('/').at(-1);
  test(`${name}: messages that are made up`, { timeout: 120_000 }, async () => {
    const numRuns = method.responseStream ? 15 : 60;
    await fc.assert(
      fc.asyncProperty(messageOf(method), (bytes) => mustBeSound(method, bytes)),
      { numRuns },
    );
  });
  test(`${name}: bytes that are no message`, { timeout: 120_000 }, async () => {
    const spoilt = fc.tuple(messageOf(method), fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, byte]) => {
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      return bytes;
    });
    const bytes = fc.oneof(
      spoilt,
      fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
    );
    const numRuns = method.responseStream ? 10 : 40;
    await fc.assert(
      fc.asyncProperty(bytes, (message) => mustBeSound(method, message)),
      { numRuns },
    );
  });
}

test('after all that the gateway works, and the tree is as the contract has it', async () => {
  const { task }: Answer = answerOf(await face.submit({ type: 'echo', payload: 1 }, { waitMs: 20_000 }));
  assert.equal(task.result, 1);
  assert.deepEqual(await strangeZnodes(await stack.session), []);
  assert.equal(stack.gateway.process.logs.filter(({ level }) => level >= 50).length, 0, 'no error in the log');
});
