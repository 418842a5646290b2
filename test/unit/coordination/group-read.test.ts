// Goal: how reads are cut into requests, and that none waits for ever. Method: a server whose every answer the test gives.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { CoordinationError } from '../../../coordination/coordination-error.ts';
import { GroupRead } from '../../../coordination/group-read.ts';
import { childNamesAt, dataAt, opcodes, type WireRequest } from '../../../coordination/zookeeper-requests.ts';
import { limits } from '../../../domain/limits.ts';
import { monotonicMs } from '../../../runtime/clock.ts';

interface Request {
  /** Reads in it. */
  readonly size: number;
  readonly bytes: number;
  answer(each: (place: number) => unknown): Promise<void>;
  fail(error: Error): Promise<void>;
}

function scripted() {
  const requests: Request[] = [];
  const issue = <T>(request: WireRequest<T>): Promise<T | null> =>
    new Promise((resolve, reject) => {
      const isMany = request.opcode === opcodes.multiRead;
      const size = isMany ? Number.parseInt(request.what, 10) : 1;
      requests.push({
        size,
        bytes: request.body.length,
        answer: async (each) => {
          const answers = Array.from({ length: size }, (_, place) => each(place));
          resolve((isMany ? answers : answers[0]) as T);
          await turn();
        },
        fail: async (error) => {
          reject(error);
          await turn();
        },
      });
    });
  return { reads: new GroupRead(issue), requests };
}

/** Until the clock that reads are timed by has moved on. */
async function later(): Promise<void> {
  for (const now = monotonicMs(); monotonicMs() === now; ) await turn();
}

const znode = (bytes: number) => ({ data: Buffer.alloc(bytes), stat: {} });
const manyReads = (reads: GroupRead, count: number) =>
  Array.from({ length: count }, (_, i) => reads.read(dataAt(`/t/${i}`)));

test('a long list says nothing of how large data is', async () => {
  const { reads, requests } = scripted();
  void reads.read(childNamesAt('/tasks'));
  await turn();
  await requests.shift()?.answer(() => Array.from({ length: 200_000 }, (_, i) => `task-${i}`));
  void manyReads(reads, 50);
  await turn();
  assert.equal(requests[0]?.size, 50);
});

test('after large data few are asked for at a time, and more again when it is small', async () => {
  const { reads, requests } = scripted();
  void manyReads(reads, 2000);
  await turn();
  await requests.shift()?.answer(() => znode(limits.readBytesAimedAt));
  await requests.shift()?.answer(() => znode(limits.readBytesAimedAt));
  assert.deepEqual(
    requests.map(({ size }) => size),
    [limits.readsPerRequestMin, limits.readsPerRequestMin],
  );
  const sizes: number[] = [];
  for (let next = requests.shift(); next; next = requests.shift()) {
    sizes.push(next.size);
    await next.answer(() => znode(100));
  }
  assert.equal(sizes.reduce((sum, size) => sum + size, 0) + 2 * 64, 2000);
  assert.ok(sizes.includes(limits.readsPerRequestMax), `${sizes}`);
});

test('a lone read goes at once; while one is in flight, those of a whole turn go together', async () => {
  const { reads, requests } = scripted();
  const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve));
  void reads.read(dataAt('/a'));
  await nextTick();
  assert.equal(requests.length, 1);
  void reads.read(dataAt('/b'));
  await nextTick();
  void reads.read(dataAt('/c'));
  await turn();
  assert.deepEqual(
    requests.map(({ size }) => size),
    [1, 2],
  );
});

test('long paths go in several requests, none near the limit of a packet', async () => {
  const { reads, requests } = scripted();
  const long = 'x'.repeat(4000);
  const all = Array.from({ length: 200 }, (_, i) => reads.read(dataAt(`/t/${long}${i}`)));
  await turn();
  for (let next = requests.shift(); next; next = requests.shift()) {
    assert.ok(next.bytes < 2 * limits.readRequestBytesMax && next.size > 1, `${next.size} reads, ${next.bytes} bytes`);
    await next.answer(() => znode(1));
  }
  assert.equal((await Promise.all(all)).length, 200);
});

test('no answer in time: what had waited for its turn as long fails with it, what was asked for since goes on', async () => {
  const { reads, requests } = scripted();
  const outcomes: string[] = [];
  const note = (name: string) => (read: Promise<unknown>) =>
    void read.then(
      () => outcomes.push(`${name} answered`),
      () => outcomes.push(`${name} failed`),
    );
  manyReads(reads, 128).forEach(note('sent'));
  manyReads(reads, 1000).forEach(note('waiting'));
  await turn();
  assert.equal(requests.length, 2);
  await later();
  note('asked since')(reads.read(dataAt('/since')));
  const [first, second] = requests.splice(0);
  await first?.fail(new CoordinationError('deadline_exceeded', 'not applied', 'no answer'));
  assert.equal(outcomes.filter((outcome) => outcome === 'waiting failed').length, 1000);
  await turn(); // while another is in flight a whole turn is waited for
  const next = requests.shift();
  assert.equal(next?.size, 1);
  await next?.answer(() => znode(1));
  await second?.answer(() => znode(1));
  assert.deepEqual(
    new Set(outcomes),
    new Set(['sent failed', 'sent answered', 'waiting failed', 'asked since answered']),
  );
});
