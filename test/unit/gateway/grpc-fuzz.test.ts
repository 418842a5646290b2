// Goal: nothing that a client can send makes a method fail as if it were our fault, and nothing gets past the checks. Method:
// on every method, messages of the right shape with wrong values, and bytes of no shape at all; every refusal has its details.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Client, type ServiceError as GrpcError, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { loadProtocol, taskServiceName } from '../../../gateway/grpc/grpc-protocol.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';
import { connectTasks, reasonOf } from './grpc-client.ts';

const service = loadProtocol()[taskServiceName] as Record<string, { readonly requestSerialize: unknown }>;
const methods = Object.keys(service).filter((name) => /^[A-Z]/.test(name));
const wanted: readonly status[] = [
  ...[status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND],
  ...[status.ALREADY_EXISTS, status.FAILED_PRECONDITION],
];

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

/** The status of a call, a stream's after its first answer. */
function send(method: string, bytes: Buffer): Promise<GrpcError | null> {
  const raw = (value: Buffer) => value;
  return new Promise((resolve) => {
    const path = `/${taskServiceName}/${method}`;
    const deadline = Date.now() + 20_000;
    const stream = client.makeServerStreamRequest(path, raw, raw, bytes, { deadline });
    stream.on('error', resolve);
    stream.on('end', () => resolve(null));
    const isEndless = method === 'WatchTask' || method === 'WatchEvents';
    stream.once(isEndless ? 'metadata' : 'end', () => {
      resolve(null);
      if (isEndless) stream.cancel();
    });
    stream.resume();
  });
}

async function takesOrRefuses(method: string, bytes: Buffer): Promise<void> {
  const error = await send(method, bytes);
  if (!error) return;
  assert.ok(wanted.includes(error.code), `${method} ${bytes.toString('hex')}: ${error.message}`);
  assert.notEqual(reasonOf(error), '');
}

// Protobuf by hand, so that fields can have values that no writer would give them.

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

function field(number: number, wireType: 0 | 1 | 2 | 5, value: Buffer): Buffer {
  const length = wireType === 2 ? varint(BigInt(value.length)) : Buffer.alloc(0);
  return Buffer.concat([varint(BigInt((number << 3) | wireType)), length, value]);
}

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('task-0000000000', '../master', '__proto__', '\0', '*', 'paused', 'task-0000000000/status'),
);
const integers = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -2n, max: 20n }));
const numbers = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e308));

function doubleBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** A message with fields of the numbers that ours have, of any wire type. */
const { message } = fc.letrec<{ message: Buffer; entry: Buffer }>((tie) => ({
  entry: fc
    .tuple(
      fc.integer({ min: 1, max: 20 }),
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        integers.map((value) => [0, varint(value)] as const),
        texts.map((value) => [2, Buffer.from(value)] as const),
        numbers.map((value) => [1, doubleBytes(value)] as const),
        fc.uint8Array({ maxLength: 12 }).map((value) => [2, Buffer.from(value)] as const),
        tie('message').map((value) => [2, value] as const),
      ),
    )
    .map(([number, [wireType, value]]) => field(number, wireType, value)),
  message: fc.array(tie('entry'), { maxLength: 6 }).map((entries) => Buffer.concat(entries)),
}));

describe('any bytes', () => {
  for (const method of methods) {
    it(`are taken or refused by ${method}`, { timeout: 60_000 }, async () => {
      const any = fc.oneof(
        message,
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      );
      await fc.assert(
        fc.asyncProperty(any, (bytes) => takesOrRefuses(method, bytes)),
        { numRuns: 150 },
      );
    });
  }
});

describe('what is accepted', () => {
  it('is stored as it was said, and nothing else', () => {
    for (const { type, queue, labels } of gateway.store.submitted) {
      for (const name of [type, queue]) assert.match(name, /^[A-Za-z0-9._-]{1,64}$/);
      for (const key of Object.keys(labels)) assert.match(key, /^[A-Za-z0-9._/-]{1,64}$/);
    }
  });

  it('with a label named __proto__ keeps it', async () => {
    const entry = Buffer.concat([field(1, 2, Buffer.from('__proto__')), field(2, 2, Buffer.from('x'))]);
    const spec = Buffer.concat([field(1, 2, Buffer.from('echo')), field(10, 2, entry)]);
    assert.equal(await send('SubmitTask', field(1, 2, spec)), null);
    assert.deepEqual(Object.entries(gateway.store.submitted.at(-1)?.labels ?? {}), [['__proto__', 'x']]);
  });
});
