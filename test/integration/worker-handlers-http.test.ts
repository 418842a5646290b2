// Goal: the http handler calls allowed hosts only, hop by hop, and turns every answer into what the contract says.
// Method: a real server on loopback.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { limits } from '../../domain/limits.ts';
import type { Json } from '../../domain/task.ts';
import { RunStop } from '../../services/worker/run-stop.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { attempt, startRegistry } from './worker-handlers-support.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function startServer(t: TestContext, answer: Answer): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function call(t: TestContext, answer: Answer, request: Record<string, Json> = {}, hosts = ['127.0.0.1']) {
  const port = await startServer(t, answer);
  const registry = await startRegistry(t, {}, { httpHandlerHosts: hosts });
  return attempt(registry, 'http', { url: `http://127.0.0.1:${port}/`, ...request });
}

const echo: Answer = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  response.setHeader('content-type', 'application/json');
  response.setHeader('set-cookie', ['a=1', 'b=2']);
  response.end(
    JSON.stringify({
      method: request.method,
      type: request.headers['content-type'],
      body: Buffer.concat(chunks).toString(),
    }),
  );
};

test('an answer results in status, headers and body', async (t) => {
  const result = await call(t, echo, { method: 'POST', body: { a: 1 } });
  assert.ok(result.kind === 'succeeded', JSON.stringify(result));
  const { status, headers, body } = result.result as { status: number; headers: Record<string, string>; body: string };
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['set-cookie'], 'a=1, b=2');
  assert.deepEqual(JSON.parse(body), { method: 'POST', type: 'application/json', body: '{"a":1}' });
});

test('a status below 500 is a result; from 500 on the attempt fails, with the delay that the server asks for', async (t) => {
  const notFound = await call(t, (_, response) => response.writeHead(404).end('no'));
  assert.equal(notFound.kind === 'succeeded' && (notFound.result as { status: number }).status, 404);
  const busy = await call(t, (_, response) => response.writeHead(503, { 'retry-after': '7' }).end('x'.repeat(300_000)));
  assert.deepEqual(busy, {
    kind: 'failed',
    error: { code: 'handler_error', message: 'http: the server answered 503' },
    retryable: true,
    retryAfterMs: 7000,
  });
});

test('no answer fails the attempt', async (t) => {
  const dropped = await call(t, (request) => request.socket.destroy());
  assert.ok(dropped.kind === 'failed' && dropped.retryable);
  assert.match(dropped.error.message, /no answer from 127\.0\.0\.1/);
  const half = await call(t, (request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half', () => request.socket.destroy());
  });
  assert.ok(half.kind === 'failed' && half.retryable);
  const refused = await call(t, echo, { url: 'http://127.0.0.1:1/' });
  assert.ok(refused.kind === 'failed' && refused.retryable);
});

test('another host is refused, also after a redirect, and never called', async (t) => {
  const direct = await call(t, echo, {}, ['other.test']);
  assert.ok(direct.kind === 'failed' && !direct.retryable);
  assert.equal(direct.error.code, 'invalid_task');
  assert.match(direct.error.message, /not one of the hosts in HTTP_HANDLER_HOSTS/);
  let calls = 0;
  const elsewhere = await startServer(t, (_, response) => {
    calls++;
    response.end();
  });
  const moved: Answer = (_, response) => {
    response.writeHead(302, { location: `http://localhost:${elsewhere}/` }).end();
  };
  const redirect = await call(t, moved);
  assert.ok(redirect.kind === 'failed' && !redirect.retryable);
  assert.match(redirect.error.message, /localhost/);
  assert.equal(calls, 0);
});

test('redirects among allowed hosts are followed, but not for ever', async (t) => {
  const seen: string[] = [];
  const result = await call(
    t,
    (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      if (request.url === '/') response.writeHead(303, { location: '/next' }).end();
      else response.end('there');
    },
    { method: 'POST', body: 'x' },
  );
  assert.equal(result.kind === 'succeeded' && (result.result as { body: string }).body, 'there');
  assert.deepEqual(seen, ['POST /', 'GET /next']);
  const loop = await call(t, (_, response) => response.writeHead(302, { location: '/' }).end());
  assert.ok(loop.kind === 'failed');
  assert.match(loop.error.message, /more than 5 redirects/);
});

test('a body that cannot fit a result fails clearly, and its rest is not read', async (t) => {
  const endless = await call(t, (_, response) => {
    const more = () => {
      while (response.write('x'.repeat(10_000)));
      response.once('drain', more);
    };
    more();
  });
  assert.ok(endless.kind === 'failed');
  assert.equal(endless.error.code, 'invalid_result');
  assert.match(endless.error.message, /larger than 262144 bytes/);
  const escaped = await call(t, (_, response) => response.end('\u0001'.repeat(limits.resultBytesMax / 2)));
  assert.equal(escaped.kind === 'failed' && escaped.error.code, 'invalid_result');
});

test('an abort ends the request', async (t) => {
  const runStop = new RunStop();
  const why = { kind: 'withdrawn', reason: 'expired' } as const;
  const port = await startServer(t, () => runStop.stop(why));
  const registry = await startRegistry(t, {}, { httpHandlerHosts: [`127.0.0.1:${port}`] });
  const run = attempt(registry, 'http', { url: `http://127.0.0.1:${port}/` }, { runStop });
  assert.deepEqual(await run, { kind: 'aborted', why });
});

test('an abort ends the reading of an answer that goes on, also once the request is garbage', {
  timeout: 20_000,
}, async (t) => {
  const runStop = new RunStop();
  const why = { kind: 'withdrawn', reason: 'expired' } as const;
  let onBegun: (response: ServerResponse) => void = () => undefined;
  const begun = new Promise<ServerResponse>((resolve) => {
    onBegun = resolve;
  });
  const port = await startServer(t, (_, response) => {
    response.write('x');
    onBegun(response);
  });
  const registry = await startRegistry(t, {}, { httpHandlerHosts: [`127.0.0.1:${port}`] });
  const run = attempt(registry, 'http', { url: `http://127.0.0.1:${port}/` }, { runStop });
  const response = await begun;
  const gone = once(response, 'close');
  await collectGarbage();
  runStop.stop(why);
  assert.deepEqual(await run, { kind: 'aborted', why });
  await gone;
});
