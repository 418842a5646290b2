// Goal: each limit that HTTP itself enforces has its error, as a problem document wherever it can still be told, and a client that
// is slow, half there or talks nonsense costs nothing lasting. Method: raw bytes on loopback to the HTTP face with times that
// a test can wait for.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { TaskId } from '../../../domain/task.ts';
import { serverLimits } from '../../../gateway/server-limits.ts';
import { eventually } from '../../support/eventually.ts';
import { assertProblem, type HttpClient, httpClient } from '../../support/http-client.ts';
import { rawExchange } from '../../support/raw-http.ts';
import { startTestFace, type TestFace } from './http-harness.ts';

const timeouts = {
  headersTimeoutMs: 300,
  requestTimeoutMs: 600,
  timeoutCheckMs: 50,
  keepAliveTimeoutMs: 300,
  socketIdleTimeoutMs: 900,
};
const connectionsMax = 8;
let face: TestFace;
let http: HttpClient;

before(async () => {
  face = await startTestFace({ timeouts, connectionsMax });
  http = httpClient(face.url);
});

after(async () => {
  const startedAt = performance.now();
  await face.close();
  assert.ok(performance.now() - startedAt < 1000, 'nothing of what was asked is still being answered');
});

const exchange = (bytes: string, then?: (socket: Socket) => void) => rawExchange(face.port, bytes, then);

function assertRawProblem(answer: string, status: number, reason: string): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
  assert.match(head, /^content-type: application\/problem\+json/im);
  assert.match(head, /^x-content-type-options: nosniff/im);
  assert.match(head, /^cache-control: no-store/im);
  assert.match(head, /^connection: close/im);
  assert.match(head, new RegExp(`^content-length: ${Buffer.byteLength(body, 'latin1')}$`, 'im'));
  const problem = JSON.parse(body);
  assert.deepEqual([problem.status, problem.type.split('/').at(-1)], [status, reason]);
}

describe('bytes that are no request', { timeout: 30_000 }, () => {
  const nonsense: [string, string][] = [
    ['a bad request line', 'GET\r\n\r\n'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['an unknown method', 'FETCH / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a bad version', 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n'],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: localhost\r\na: \0\r\n\r\n'],
    ['two lengths', 'POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    [
      'a length and chunks',
      'POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    [
      'a bad chunk',
      'POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ];
  for (const [name, bytes] of nonsense) {
    it(`${name}: 400`, async () => assertRawProblem(await exchange(bytes), 400, 'invalid-request'));
  }

  it('in great amounts are answered once and then let go', async () => {
    const answer = await exchange('nonsense\r\n'.repeat(100_000));
    assertRawProblem(answer, 400, 'invalid-request');
  });

  it('from a client that goes on after its refusal are cut off', { timeout: 10_000 }, async () => {
    const socket = connect({ port: face.port, host: '127.0.0.1', allowHalfOpen: true });
    const timer = setInterval(() => socket.write('nonsense'), 50);
    await new Promise((resolve) => socket.once('error', resolve)); // reset: nobody takes it any more
    clearInterval(timer);
  });

  it('after a good request do not spoil its answer', async () => {
    const answer = await exchange('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', (socket) => {
      socket.once('data', () => socket.write('nonsense\r\n\r\n'));
    });
    const [good = '', bad = ''] = answer.split(/(?<=\})(?=HTTP)/);
    assert.match(good, /^HTTP\/1.1 200 [\s\S]*\{"status":"ok"\}$/);
    assertRawProblem(bad, 400, 'invalid-request');
  });

  it('of an older HTTP are answered', async () => {
    assert.match(await exchange('GET /healthz HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 200 [\s\S]*\{"status":"ok"\}$/);
  });

  it('that ask for another protocol get this one', async () => {
    const upgrade =
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n';
    assert.match(await exchange(upgrade), /^HTTP\/1.1 200 /);
  });
});

describe('headers', { timeout: 30_000 }, () => {
  it('up to the limit are taken, over it refused with 431', async () => {
    const headers = (bytes: number) =>
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\na: ${'x'.repeat(bytes)}\r\n\r\n`;
    assert.match(await exchange(headers(serverLimits.headerBytesMax - 200)), /^HTTP\/1.1 200 /);
    assertRawProblem(await exchange(headers(serverLimits.headerBytesMax)), 431, 'headers-too-large');
    assertRawProblem(await exchange(headers(5_000_000)), 431, 'headers-too-large');
  });

  it('that do not come are waited for so long and no longer', async () => {
    assertRawProblem(await exchange('GET /healthz HTTP/1.1\r\nHost: localhost\r\n'), 408, 'request-timeout');
    assertRawProblem(await exchange(''), 408, 'request-timeout');
    const drip = (socket: Socket) => {
      const timer = setInterval(() => socket.write('a: b\r\n'), 20);
      socket.once('close', () => clearInterval(timer));
    };
    assertRawProblem(await exchange('GET /healthz HTTP/1.1\r\nHost: localhost\r\n', drip), 408, 'request-timeout');
  });
});

describe('a body', { timeout: 30_000 }, () => {
  const start =
    'POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{';

  it('that comes too slowly is a 408', async () => {
    const drip = (socket: Socket) => {
      const timer = setInterval(() => socket.write(' '), 50);
      socket.once('close', () => clearInterval(timer));
    };
    assertRawProblem(await exchange(start, drip), 408, 'request-timeout');
  });

  it('that is broken off leaves nothing behind', async () => {
    await exchange(start, (socket) => setTimeout(() => socket.resetAndDestroy(), 20));
    await exchange(start, (socket) => socket.end());
    await eventually('no connection is left', () => face.sockets.size === 0);
    assert.equal(face.store.submitted.length, 0);
  });
});

describe('a connection', { timeout: 30_000 }, () => {
  it('that is idle between requests is closed', async () => {
    const startedAt = performance.now();
    assert.match(await exchange('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'), /^HTTP\/1.1 200 /);
    assert.ok(performance.now() - startedAt >= timeouts.keepAliveTimeoutMs - 50);
  });

  it('is kept for the next request', async () => {
    const ask = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const answer = await exchange(ask, (socket) => {
      socket.once('data', () => setTimeout(() => socket.write(ask), timeouts.keepAliveTimeoutMs / 2));
    });
    assert.equal(answer.match(/HTTP\/1.1 200/g)?.length, 2);
  });

  it('whose client does not take its answer is closed, and the wait of one that went is ended', async () => {
    const id = await http.submit({ type: 'echo', payload: 'x'.repeat(250_000) });
    face.store.finish(id as TaskId, 'succeeded', 'y'.repeat(250_000));
    const socket = connect(face.port, '127.0.0.1');
    socket.on('error', () => undefined).pause();
    const ask = `GET /tasks/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    socket.write(ask.repeat(serverLimits.requestsPerConnectionMax)); // the kernel takes about half of the answers
    await eventually('it is being answered', () => face.bufferedBytes() > 0);
    await eventually('it is let go', () => face.sockets.size === 0);
    socket.destroy();
    const unfinished = await http.submit();
    const waiting = connect(face.port, '127.0.0.1');
    waiting.write(`GET /tasks/${unfinished}?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    while (face.api.waiting === 0) await turn();
    waiting.end(); // half open: it will say nothing more
    while (face.api.waiting > 0) await turn();
    face.store.forget(id as TaskId);
  });

  it('that goes takes along what it had asked for behind something else', async () => {
    const id = await http.submit();
    const socket = connect(face.port, '127.0.0.1');
    const asked = [`/tasks/${id}?wait=60`, `/tasks/${id}?wait=60`, '/events', `/tasks/${id}/events`];
    socket.write(asked.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''));
    while (face.api.waiting < asked.length) await turn();
    socket.destroy();
    await eventually('nothing waits any more', () => face.api.waiting === 0 && face.store.watchers === 0);
  });

  it('over the limit is told that there are too many, and others go on', async () => {
    await eventually('none is left', () => face.sockets.size === 0);
    const id = await http.submit();
    const open: Socket[] = [];
    for (let i = 0; i < connectionsMax; i += 1) {
      const socket = connect(face.port, '127.0.0.1');
      socket.write(`GET /tasks/${id}?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      open.push(socket);
    }
    while (face.api.waiting < connectionsMax) await turn();
    const refused = await http.get('/healthz');
    assertProblem(refused, 503, 'too-many-connections');
    assert.deepEqual([refused.headers['retry-after'], refused.headers['connection']], ['1', 'close']);
    await exchange(''); // one that says nothing is not waited for
    assert.match(await face.registry.metrics(), /taskkeeper_http_connections_refused_total 2/);
    assert.equal(face.api.waiting, connectionsMax);
    for (const socket of open) socket.destroy();
    await eventually('the first one is served again', async () => (await http.get('/healthz')).status === 200);
    face.store.forget(id as TaskId);
  });
});
