// Goal: of requests that were sent without waiting for the answer before, each gets its own answer, and none that of another: while
// the gateway stops, and when what follows them is no request. Method: raw bytes to a listener whose answers the test gives.

import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type HttpListener, listenHttp } from '../../../gateway/http/http-listener.ts';
import { eventually } from '../../support/eventually.ts';

interface Held {
  readonly listener: HttpListener;
  readonly requests: { readonly path: string; answer(): void }[];
  /** All that one connection has been sent when the other side has hung up. */
  readonly received: Promise<string>;
  send(bytes: string): void;
}

async function hold(t: TestContext): Promise<Held> {
  const requests: Held['requests'] = [];
  const app = (({ url = '' }: IncomingMessage, response: ServerResponse) => {
    requests.push({ path: url, answer: () => response.end(`answer to ${url}\n`) });
  }) as RequestListener;
  const notRefused = { onConnectionRefused: () => undefined, onRequestRefused: () => undefined };
  const options = { host: '127.0.0.1', port: 0, connectionsMax: 10, classes: {} };
  const listener = await listenHttp(app, { ...options, ...notRefused });
  t.after(() => listener.close());
  const socket = connect(Number(listener.address.split(':').at(-1)), '127.0.0.1').setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  const received = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  return { listener, requests, received, send: (bytes) => socket.write(bytes, 'latin1') };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const arrived = ({ requests }: Held, count: number) =>
  eventually('the requests are there', () => requests.length === count);

test('stopping: all that were asked for are answered, the last one ends the connection', async (t) => {
  const held = await hold(t);
  held.send(get('/a') + get('/b'));
  await arrived(held, 2);
  const closed = held.listener.close();
  held.send(get('/c'));
  await arrived(held, 3);
  for (const { answer } of held.requests) answer();
  const text = await held.received;
  await closed;
  assert.deepEqual(text.match(/answer to .*/g), ['answer to /a', 'answer to /b', 'answer to /c']);
  assert.deepEqual(text.match(/^connection: .*(?=\r)/gim), [
    'Connection: keep-alive',
    'Connection: keep-alive',
    'Connection: close',
  ]);
});

test('what follows a request that waits for its answer is no request: not answered in its place', async (t) => {
  const held = await hold(t);
  held.send(get('/a'));
  await arrived(held, 1);
  held.send('no request\r\n\r\n');
  assert.equal(await held.received, '');
});

test('nothing is owed: what is no request is answered as such', async (t) => {
  const held = await hold(t);
  held.send(get('/a'));
  await arrived(held, 1);
  held.requests[0]?.answer();
  held.send('no request\r\n\r\n');
  assert.match(await held.received, /answer to \/a[\s\S]*HTTP\/1.1 400 /);
});
