// The gRPC face: the task service, the standard health service and server reflection on one port, with bounds on
// messages, streams, connections and what is not taken; and a close that lets held calls finish.

import { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { limits } from '../../domain/limits.ts';
import { InProgress } from '../in-progress.ts';
import { serverLimits } from '../server-limits.ts';
import { type GrpcAddress, GrpcConnections } from './grpc-connections.ts';
import { boundedCalls } from './grpc-interceptors.ts';
import { loadProtocol, taskServiceName, taskServiceOf } from './grpc-protocol.ts';
import { reflection } from './grpc-reflection.ts';
import { type GrpcServices, taskMethods } from './grpc-task-methods.ts';

export interface GrpcListener {
  /** `host:port` as bound. */
  readonly address: string;
  /** What the health service says, of the server as a whole and of the task service. */
  setServing(serving: boolean): void;
  /** Resolves when all connections are closed. */
  close(): Promise<void>;
}

export async function listenGrpc(
  services: Omit<GrpcServices, 'answering'>,
  address: GrpcAddress,
): Promise<GrpcListener> {
  const answering = new InProgress();
  const protocol = loadProtocol();
  const server = boundedServer((peer) => connections.end(peer));
  const health = new HealthImplementation();
  server.addService(taskServiceOf(protocol), taskMethods(protocol, { ...services, answering }));
  health.addToServer(server);
  reflection().addToServer(server);
  const connections = new GrpcConnections(server, address);
  return {
    address: await connections.listen(address),
    setServing: (serving) => {
      for (const name of ['', taskServiceName]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
    close: () => shutDown(server, connections, answering),
  };
}

function boundedServer(endConnection: (peer: string) => void): Server {
  return new Server({
    interceptors: [boundedCalls(endConnection)],
    'grpc.max_receive_message_length': limits.requestBodyBytesMax,
    'grpc.max_send_message_length': serverLimits.grpcSendBytesMax,
    'grpc.max_concurrent_streams': serverLimits.grpcStreamsPerConnectionMax,
    'grpc.max_connection_idle_ms': serverLimits.grpcConnectionIdleMs,
    'grpc.keepalive_time_ms': serverLimits.grpcKeepaliveTimeMs,
    'grpc.keepalive_timeout_ms': serverLimits.grpcKeepaliveTimeoutMs,
  });
}

/** Calls that have one answer are waited for. Streams are not: ours end with the drain, those of others never. */
async function shutDown(server: Server, connections: GrpcConnections, answering: InProgress): Promise<void> {
  connections.refuse();
  const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  await answering.none(serverLimits.drainMs);
  const linger = setTimeout(() => connections.destroy(), serverLimits.drainLingerMs);
  await closed;
  clearTimeout(linger);
}
