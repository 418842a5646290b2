// Goal: of a request without an answer it is said that nothing was sent only where that is certain.
// Method: servers on loopback that answer, cut the connection, say nothing or are not there.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type Exchange, exchange } from '../../../chaos/traffic/http-exchange.ts';

const agent = new Agent({ keepAlive: true });
let server: Server;
let url: string;
/** What is done with each connection that has brought a whole request. */
let onRequest: (socket: Socket) => void = () => undefined;

before(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => onRequest(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => {
  agent.destroy();
  server.close();
});

function send(to = url, timeoutMs = 5000, signal = new AbortController().signal): Promise<Exchange> {
  const request = { method: 'POST', path: '/tasks', headers: {}, body: { type: 'quick' } } as const;
  return exchange(to, request, { agent, timeoutMs, signal });
}

function answer(socket: Socket): void {
  socket.write('HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}');
}

describe('a request of the traffic', () => {
  it('that is answered has its answer', async () => {
    onRequest = answer;
    assert.deepEqual(await send(), { kind: 'answer', status: 201, body: '{}' });
  });

  it('to nobody was not sent', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    const end = await send(`http://127.0.0.1:${port}`);
    assert.equal(end.kind === 'none' && end.mayBeSent, false);
  });

  it('that is cut off was maybe sent', async () => {
    onRequest = (socket) => socket.destroy();
    await assertMaybeSent(send());
  });

  it('on a kept connection that is cut off was maybe sent, and is not sent once more', async () => {
    onRequest = answer;
    await send();
    let requests = 0;
    onRequest = (socket) => {
      requests += 1;
      socket.destroy();
    };
    await assertMaybeSent(send());
    assert.equal(requests, 1);
  });

  it('that has half an answer was maybe sent', async () => {
    onRequest = (socket) => socket.end('HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{');
    await assertMaybeSent(send());
  });

  it('without an answer in time was maybe sent', async () => {
    onRequest = () => undefined;
    await assertMaybeSent(send(url, 50));
  });

  it('that is left was maybe sent', async () => {
    const leaving = new AbortController();
    onRequest = () => leaving.abort();
    await assertMaybeSent(send(url, 5000, leaving.signal));
  });
});

async function assertMaybeSent(sent: Promise<Exchange>): Promise<void> {
  const end = await sent;
  assert.equal(end.kind === 'none' && end.mayBeSent, true, JSON.stringify(end));
}
