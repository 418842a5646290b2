// Goal: a gateway starts on what it is told or says what to change, and stops without cutting off an answer. Method: real
// listeners on loopback; held requests, half-open connections and watches while it stops.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { startTestGateway } from './gateway-harness.ts';

async function submit(url: string): Promise<string> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/tasks`, { method: 'POST', headers, body: '{"type":"echo"}' });
  return ((await response.json()) as { id: string }).id;
}

describe('a gateway', () => {
  it('says which variable to change when a port is in use, and leaves nothing open', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await assert.rejects(startTestGateway({ httpPort: port, grpcPort: 0 }), {
      message: `port ${port} of 127.0.0.1 is in use: end what listens there, or set HTTP_PORT to another port (0 takes any)`,
    });
    await assert.rejects(startTestGateway({ httpPort: 0, grpcPort: port }), /in use: .* set GRPC_PORT/);
    other.close();
  });

  it('answers what it holds with the present state when it stops', async () => {
    const gateway = await startTestGateway();
    const id = await submit(gateway.url);
    const agent = new Agent({ keepAlive: true });
    const held = httpRequest(`${gateway.url}/tasks/${id}?wait=60`, { agent });
    const answered = once(held, 'response') as Promise<[IncomingMessage]>;
    held.end();
    await gateway.store.untilWatched();
    const drained = gateway.drain();
    const [response] = await answered;
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers.connection, 'close');
    const body = JSON.parse((await response.toArray()).join(''));
    assert.equal(body.state, 'queued');
    await drained;
    await assert.rejects(fetch(`${gateway.url}/healthz`));
    assert.equal(gateway.store.watchers, 0);
    agent.destroy();
  });

  it('is not held up by connections that say nothing, nor by those who watch its health', async () => {
    const gateway = await startTestGateway();
    const [host, port] = gateway.httpAddress.split(':');
    const silent = connect(Number(port), host);
    await once(silent, 'connect');
    const halfRequest = connect(Number(port), host);
    halfRequest.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n');
    const closed = [silent, halfRequest].map((socket) => once(socket.on('error', () => undefined).resume(), 'close'));
    const statuses = await watchHealth(gateway.grpcAddress);
    const startedAt = performance.now();
    await gateway.drain();
    await Promise.all(closed);
    assert.ok(performance.now() - startedAt < 5000);
    assert.deepEqual(statuses, ['SERVING', 'NOT_SERVING']);
  });
});

/** Statuses as they come; resolves with the first. */
async function watchHealth(address: string): Promise<string[]> {
  const statuses: string[] = [];
  const settings = { keepCase: true, enums: String };
  // biome-ignore lint/suspicious/noExplicitAny: a client made at run time has no types
  const { grpc } = loadPackageDefinition(loadSync(healthProtoPath, settings)) as any;
  const client = new grpc.health.v1.Health(address, credentials.createInsecure());
  const watch = client.Watch({ service: '' });
  watch.on('error', () => client.close());
  watch.on('data', ({ status }: { status: string }) => statuses.push(status));
  await once(watch, 'data');
  return statuses;
}
