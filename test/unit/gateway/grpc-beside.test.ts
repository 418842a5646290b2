// Goal: what the gRPC port offers beside the task service: health that follows the session and the draining, reflection in
// both versions, bounds on connections and on slow requests, counts of calls. Method: grpc-js clients made from the
// standard .proto files, and bare sockets, against a gateway over a store in memory.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Client, Server, status } from '@grpc/grpc-js';
import { fromJSON, loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { limits } from '../../../domain/limits.ts';
import { GrpcConnections } from '../../../gateway/grpc/grpc-connections.ts';
import { loadProtocol, taskServiceName, taskServiceOf } from '../../../gateway/grpc/grpc-protocol.ts';
import { serverLimits } from '../../../gateway/server-limits.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';
import { type Answer, call, connect, connectTasks, failure, Stream } from './grpc-client.ts';

const settings = { keepCase: true, longs: Number, enums: String, defaults: false } as const;

let gateway: TestGateway;

before(async () => {
  gateway = await startTestGateway();
});

after(() => gateway.drain());

function connectHealth(of: TestGateway): Client {
  return connect(loadSync(healthProtoPath, settings), 'grpc.health.v1.Health', of.grpcAddress);
}

describe('health', () => {
  it('follows the session, of the server and of the service, to those who ask and those who watch', async () => {
    const health = connectHealth(gateway);
    const check = async (service: string) => (await call(health, 'Check', { service })).status;
    const services = ['', taskServiceName];
    const watches = services.map((service) => new Stream(health, 'Watch', { service }));
    for (const watch of watches) assert.equal((await watch.next()).status, 'SERVING');
    gateway.setReady(false);
    for (const watch of watches) assert.equal((await watch.next()).status, 'NOT_SERVING');
    for (const service of services) assert.equal(await check(service), 'NOT_SERVING');
    gateway.setReady(true);
    for (const watch of watches) assert.equal((await watch.next()).status, 'SERVING');
    for (const service of services) assert.equal(await check(service), 'SERVING');
    assert.equal((await failure(check('other'))).code, status.NOT_FOUND);
    for (const watch of watches) watch.cancel();
    health.close();
  });

  it('is NOT_SERVING from the beginning where there is no session yet', async () => {
    const other = await startTestGateway();
    other.setReady(false);
    const health = connectHealth(other);
    assert.equal((await call(health, 'Check', { service: taskServiceName })).status, 'NOT_SERVING');
    health.close();
    await other.drain();
  });

  it('tells those who watch that the gateway stops, while it still answers what it holds', async () => {
    const other = await startTestGateway();
    const health = connectHealth(other);
    const tasks = connectTasks(other.grpcAddress);
    const watch = new Stream(health, 'Watch', { service: taskServiceName });
    await watch.next();
    const held = call(tasks, 'SubmitTask', { spec: { type: 'echo' }, wait: { seconds: 60 } });
    await other.store.untilWatched();
    const drained = other.drain();
    assert.equal((await watch.next()).status, 'NOT_SERVING');
    assert.equal((await held).task.state, 'TASK_STATE_QUEUED');
    await drained;
    health.close();
    tasks.close();
  });
});

// Of google/protobuf/descriptor.proto, what is looked at.
const descriptors = fromJSON({
  nested: {
    Method: { fields: { name: { type: 'string', id: 1 }, server_streaming: { type: 'bool', id: 6 } } },
    Service: {
      fields: { name: { type: 'string', id: 1 }, method: { rule: 'repeated', type: 'Method', id: 2 } },
    },
    Message: { fields: { name: { type: 'string', id: 1 } } },
    File: {
      fields: {
        name: { type: 'string', id: 1 },
        message_type: { rule: 'repeated', type: 'Message', id: 4 },
        service: { rule: 'repeated', type: 'Service', id: 6 },
      },
    },
  },
});

describe('reflection', () => {
  for (const version of ['v1', 'v1alpha']) {
    it(`${version} lists the service, and describes all of its methods and messages`, async () => {
      const file = `@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`;
      const path = fileURLToPath(new URL(`../../../../node_modules/${file}`, import.meta.url));
      const service = `grpc.reflection.${version}.ServerReflection`;
      const client = connect(loadSync(path, settings), service, gateway.grpcAddress);
      const stream = (client as Answer).ServerReflectionInfo();
      const ask = async (question: object) => {
        stream.write(question);
        return (await once(stream, 'data'))[0];
      };
      const { list_services_response: listed } = await ask({ list_services: '*' });
      const names = listed.service.map(({ name }: Answer) => name).sort();
      assert.deepEqual(names, ['grpc.health.v1.Health', taskServiceName]);
      const { file_descriptor_response: described } = await ask({ file_containing_symbol: taskServiceName });
      const files = described.file_descriptor_proto.map((bytes: Buffer) =>
        (descriptors['File'] as MessageTypeDefinition<object, Answer>).deserialize(bytes),
      );
      const ours = files.find(({ service }: Answer) => service?.length > 0);
      const [{ method: methods }] = ours.service;
      assert.equal(methods.length, Object.keys(taskServiceOf(loadProtocol())).length);
      const streaming = methods.filter((method: Answer) => method.server_streaming);
      assert.deepEqual(
        streaming.map(({ name }: Answer) => name),
        ['WatchTask', 'WatchEvents'],
      );
      const messages = ours.message_type.map(({ name }: Answer) => name);
      for (const { name } of methods) {
        assert.ok(messages.includes(`${name}Request`) && messages.includes(`${name}Response`), name);
      }
      stream.end();
      client.close();
    });
  }
});

describe('the port', () => {
  it('answers UNIMPLEMENTED for what is not there', async () => {
    const client = connectTasks(gateway.grpcAddress);
    for (const path of ['/taskkeeper.v1.TaskService/Nothing', '/taskkeeper.v9.TaskService/GetTask']) {
      const raw = (bytes: Buffer) => bytes;
      const answer = new Promise((resolve, reject) => {
        const done = (error: unknown, bytes: unknown) => (error ? reject(error) : resolve(bytes));
        client.makeUnaryRequest(path, raw, raw, Buffer.alloc(0), done);
      });
      assert.equal((await failure(answer)).code, status.UNIMPLEMENTED);
    }
    client.close();
  });

  it('ends a request that does not arrive in time', async () => {
    const adjustable = serverLimits as { requestTimeoutMs: number };
    const { requestTimeoutMs } = adjustable;
    adjustable.requestTimeoutMs = 100;
    const session = connectHttp2(`http://${gateway.grpcAddress}`);
    try {
      const headers = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
      const stream = session.request({ ...headers, ':path': '/taskkeeper.v1.TaskService/GetTask' });
      stream.write(Buffer.from([0, 0, 0, 0, 100, 1]));
      const [answer] = await once(stream, 'response');
      assert.equal(answer['grpc-status'], String(status.DEADLINE_EXCEEDED));
      assert.match(Buffer.from(answer['grpc-status-details-bin'], 'base64').toString('latin1'), /request-timeout/);
    } finally {
      adjustable.requestTimeoutMs = requestTimeoutMs;
      session.destroy();
    }
  });

  it('takes so many connections and no more', async () => {
    let refused = 0;
    const limits = { connectionsMax: 2, onConnectionRefused: () => (refused += 1) };
    const server = new Server();
    const connections = new GrpcConnections(server, { host: '127.0.0.1', port: 0, ...limits });
    const [host, port] = (await connections.listen({ host: '127.0.0.1', port: 0, ...limits })).split(':');
    const open = async () => {
      const socket = connectTcp(Number(port), host).on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    };
    const [first, second, third] = [await open(), await open(), await open()];
    await once(third.resume(), 'close');
    assert.deepEqual([refused, second.readyState], [1, 'open']);
    first.destroy();
    const fourth = await eventually('there is a place again', async () => {
      const socket = connectHttp2(`http://${host}:${port}`).on('error', () => undefined);
      return new Promise<ClientHttp2Session | null>((resolve) => {
        socket.once('remoteSettings', () => resolve(socket)).once('close', () => resolve(null));
      });
    });
    connections.refuse();
    connections.destroy();
    await once(fourth, 'close');
    server.forceShutdown();
    second.destroy();
  });

  it('is closed also to a client that never closes its end', async () => {
    const other = await startTestGateway();
    const [host, port] = other.grpcAddress.split(':');
    const socket = connectTcp({ port: Number(port), host: String(host), allowHalfOpen: true }).on(
      'error',
      () => undefined,
    );
    const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), emptySettings]));
    await once(socket, 'readable');
    const startedAt = performance.now();
    await other.drain();
    assert.ok(performance.now() - startedAt < 5000);
    socket.destroy();
  });

  it('counts calls by method and code', async () => {
    const client = connectTasks(gateway.grpcAddress);
    await failure(call(client, 'GetTask', { id: 'none' }));
    await failure(call(client, 'UpdateQueue', { name: '' }));
    const text = await gateway.registry.metrics();
    assert.match(text, /taskkeeper_grpc_call_duration_seconds_count\{method="GetTask",code="NOT_FOUND"\} 1/);
    assert.match(text, /taskkeeper_grpc_call_duration_seconds_count\{method="UpdateQueue",code="INVALID_ARGUMENT"\} 1/);
    client.close();
  });

  it('is told by its variable where it cannot be had, and then nothing stays open', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    await assert.rejects(startTestGateway({ httpPort: 0, grpcPort: port }), /GRPC_PORT/);
    holder.close();
  });
});

describe('a message', () => {
  it('of 1 MiB is taken, and no byte more', async () => {
    const client = connectTasks(gateway.grpcAddress);
    const send = (bytes: number) => failure(call(client, 'GetTask', { id: 'x'.repeat(bytes - 4) })); // its tag, and three bytes of length
    assert.equal((await send(limits.requestBodyBytesMax)).code, status.NOT_FOUND);
    assert.equal((await send(limits.requestBodyBytesMax + 1)).code, status.RESOURCE_EXHAUSTED);
    client.close();
  });
});
