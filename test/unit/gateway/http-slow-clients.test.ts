// Goal: what is kept for clients that are slow is bounded: on one connection by how much it may have asked for, and for all of them
// together by bytes. Method: raw bytes on loopback to the HTTP face with the limits of production.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { TaskId } from '../../../domain/task.ts';
import { unfinishedBodies, untakenAnswers } from '../../../gateway/held-bytes.ts';
import { serverLimits } from '../../../gateway/server-limits.ts';
import { eventually } from '../../support/eventually.ts';
import { type HttpClient, httpClient } from '../../support/http-client.ts';
import { rawExchange } from '../../support/raw-http.ts';
import { startTestFace, type TestFace } from './http-harness.ts';

let face: TestFace;
let http: HttpClient;

before(async () => {
  face = await startTestFace({});
  http = httpClient(face.url);
});

after(() => face.close());

const exchange = (bytes: string, then?: (socket: Socket) => void) => rawExchange(face.port, bytes, then);

function assertRawProblem(answer: string, status: number, reason: string): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
  assert.match(head, /^connection: close/im);
  const problem = JSON.parse(body);
  assert.deepEqual([problem.status, problem.type.split('/').at(-1)], [status, reason]);
}

it('a connection that asks and asks before it has an answer is refused the next one, and goes with that', async () => {
  const id = await http.submit();
  const { requestsPerConnectionMax: max } = serverLimits;
  const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const first = ask(`/tasks/${id}?wait=10`);
  const answers = exchange(first + ask('/healthz').repeat(max + 10));
  while (face.api.waiting === 0) await turn();
  face.store.finish(id as TaskId, 'succeeded', null);
  const each = (await answers).split(/(?=HTTP\/1\.1 )/);
  assert.equal(each.length, max + 1);
  assert.ok(each.slice(0, -1).every((answer) => answer.startsWith('HTTP/1.1 200 ')));
  assertRawProblem(each.at(-1) ?? '', 429, 'too-many-requests');
  assert.match(each.at(-1) ?? '', /^retry-after: 1\r$/im);
  assert.match(await face.registry.metrics(), /taskkeeper_refusals_total\{reason="too-many-requests"\} 11/);
});

it('a connection whose client takes nothing goes when there is too much of that, before those who came later', async () => {
  const id = await http.submit({ type: 'echo', payload: 'x'.repeat(250_000) });
  face.store.finish(id as TaskId, 'succeeded', 'y'.repeat(250_000));
  const ask = `GET /tasks/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(serverLimits.requestsPerConnectionMax);
  const deaf: Socket[] = [];
  const openDeaf = () => {
    const socket = connect(face.port, '127.0.0.1').pause();
    socket.on('error', () => undefined);
    socket.write(ask);
    deaf.push(socket);
  };
  openDeaf();
  await eventually('it is being answered', () => face.bufferedBytes() > 0);
  const [first] = [...face.sockets];
  // The kernel takes some megabytes of each, nobody knows how many.
  while (untakenAnswers.letGo === 0 && deaf.length < 300) {
    openDeaf();
    await http.get('/healthz');
  }
  assert.ok(untakenAnswers.letGo > 0, `${deaf.length} connections, ${untakenAnswers.bytes} bytes`);
  assert.ok(untakenAnswers.bytes <= serverLimits.untakenBytesMax);
  assert.equal(first?.destroyed, true);
  for (const socket of deaf) socket.destroy();
  await eventually('nothing is held', () => untakenAnswers.bytes === 0);
  assert.match(await face.registry.metrics(), /taskkeeper_slow_clients_ended_total\{kind="answers"\} [1-9]/);
});

it('a body that comes slower than those of all others is not waited for when there are too many', async () => {
  const size = 1_000_000;
  const head = `POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${size + 1}\r\n\r\n{`;
  const tooMany = Math.ceil(serverLimits.unfinishedBodyBytesMax / size);
  const first = exchange(head);
  await eventually('the first one has begun', () => unfinishedBodies.bytes === 1);
  const others: Socket[] = [];
  const opened = Array.from({ length: tooMany }, () =>
    exchange(head + ' '.repeat(size - 1), (socket) => others.push(socket)),
  );
  assertRawProblem(await first, 408, 'request-timeout');
  await eventually('the others are waited for', () => unfinishedBodies.bytes > 0.9 * tooMany * size);
  assert.ok(unfinishedBodies.bytes <= serverLimits.unfinishedBodyBytesMax);
  for (const socket of others) socket.destroy();
  await Promise.all(opened);
  await eventually('nothing is held', () => unfinishedBodies.bytes === 0);
});

it('a body that is refused before it has arrived is not held any more', async () => {
  const head = 'POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n';
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
  const tooLarge = await exchange(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`);
  assertRawProblem(tooLarge, 413, 'body-too-large');
  await eventually('nothing is held of one that was too large', () => unfinishedBodies.bytes === 0);
  await exchange(`${head}Content-Length: 100000\r\n\r\n{"type":`, (socket) => {
    void eventually('it has begun', () => unfinishedBodies.bytes > 0).then(() => socket.destroy());
  });
  await eventually('nor of one whose client has gone', () => unfinishedBodies.bytes === 0);
});
