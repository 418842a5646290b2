// The gRPC face: the task service, the standard health service and server reflection on one port, with bounds on
// messages, streams and connections; and a close that lets held calls finish.

import { Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { limits } from '../../domain/limits.ts';
import { InProgress } from '../in-progress.ts';
import { listenError } from '../listen-error.ts';
import { serverLimits } from '../server-limits.ts';
import { loadProtocol, taskServiceName, taskServiceOf } from './grpc-protocol.ts';
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
  host: string,
  port: number,
): Promise<GrpcListener> {
  const answering = new InProgress();
  const protocol = loadProtocol();
  const server = boundedServer();
  const health = new HealthImplementation();
  server.addService(taskServiceOf(protocol), taskMethods(protocol, { ...services, answering }));
  health.addToServer(server);
  new ReflectionService(protocol).addToServer(server);
  const hostInAddress = host.includes(':') ? `[${host}]` : host;
  const boundPort = await bind(server, `${hostInAddress}:${port}`).catch((error: unknown) => {
    server.forceShutdown();
    throw listenError(error, host, port, 'GRPC_PORT');
  });
  return {
    address: `${hostInAddress}:${boundPort}`,
    setServing: (serving) => {
      for (const name of ['', taskServiceName]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
    close: () => shutDown(server, answering),
  };
}

/**
 * Does nothing but be there: only behind an interceptor does grpc-js 1.14 drop what arrives after the end of a call. Without
 * one, a call whose deadline passes before its request is complete still reaches its method, which is then never told
 * that nobody waits for the answer.
 */
const dropsWhatComesTooLate: ServerInterceptor = (_method, call) => new ServerInterceptingCall(call);

function boundedServer(): Server {
  return new Server({
    interceptors: [dropsWhatComesTooLate],
    'grpc.max_receive_message_length': limits.requestBodyBytesMax,
    'grpc.max_send_message_length': serverLimits.grpcSendBytesMax,
    'grpc.max_concurrent_streams': serverLimits.grpcStreamsPerConnectionMax,
    'grpc.max_connection_idle_ms': serverLimits.grpcConnectionIdleMs,
    'grpc.keepalive_time_ms': serverLimits.grpcKeepaliveTimeMs,
    'grpc.keepalive_timeout_ms': serverLimits.grpcKeepaliveTimeoutMs,
  });
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

/** Calls that have one answer are waited for. Streams are not: ours end with the drain, those of others never. */
async function shutDown(server: Server, answering: InProgress): Promise<void> {
  const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  await answering.none(serverLimits.drainMs);
  const linger = setTimeout(() => server.forceShutdown(), serverLimits.drainLingerMs);
  await closed;
  clearTimeout(linger);
}
