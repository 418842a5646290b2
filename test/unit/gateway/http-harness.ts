// The HTTP face alone, over a store in memory, with other times than those of production, for tests of what depends on them.

import type { Socket } from 'node:net';
import { Registry } from 'prom-client';
import { ScheduleApi } from '../../../gateway/api/schedule-api.ts';
import { TaskApi } from '../../../gateway/api/task-api.ts';
import { createFailureReport } from '../../../gateway/failure-report.ts';
import { createGatewayMetrics } from '../../../gateway/gateway-metrics.ts';
import type { OwnNames } from '../../../gateway/http/cross-origin.ts';
import { messageClassesOf } from '../../../gateway/http/express-messages.ts';
import { type HttpTimeouts, listenHttp } from '../../../gateway/http/http-listener.ts';
import { createHttpApp } from '../../../gateway/http/http-server.ts';
import { createLog } from '../../../runtime/log.ts';
import { InMemoryIndex } from './in-memory-index.ts';
import { InMemoryScheduleStore } from './in-memory-schedule-store.ts';
import { InMemoryTaskStore } from './in-memory-task-store.ts';

export interface TestFaceOptions {
  readonly eventHeartbeatMs?: number;
  readonly timeouts?: Partial<HttpTimeouts>;
  readonly connectionsMax?: number;
  readonly names?: OwnNames;
}

export interface TestFace {
  readonly url: string;
  readonly port: number;
  readonly store: InMemoryTaskStore;
  readonly index: InMemoryIndex;
  readonly api: TaskApi;
  readonly registry: Registry;
  /** Connections that are open on this side. */
  readonly sockets: ReadonlySet<Socket>;
  /** Waiting on this side to be taken by the other sides. */
  bufferedBytes(): number;
  close(): Promise<void>;
}

const loopback = { host: '127.0.0.1', advertisedHost: '127.0.0.1' };

/** At most 20 requests may wait. */
export async function startTestFace(options: TestFaceOptions): Promise<TestFace> {
  const { eventHeartbeatMs, timeouts = {}, connectionsMax = 1000, names = loopback } = options;
  const store = new InMemoryTaskStore();
  const index = new InMemoryIndex(store);
  const api = new TaskApi(store, index, 20);
  const schedules = new ScheduleApi(new InMemoryScheduleStore(), store);
  const registry = new Registry();
  const metrics = createGatewayMetrics(registry, () => api.waiting);
  const failures = createFailureReport(createLog('gateway', 'silent'), metrics);
  const sockets = new Set<Socket>();
  const heartbeat = eventHeartbeatMs === undefined ? {} : { eventHeartbeatMs };
  const app = createHttpApp({ api, schedules, registry, metrics, names, failures, ...heartbeat });
  const listener = await listenHttp(
    (request, response) => {
      const { socket } = request;
      if (!sockets.has(socket)) socket.once('close', () => sockets.delete(socket));
      sockets.add(socket);
      app(request, response);
    },
    {
      ...{ host: '127.0.0.1', port: 0, connectionsMax, timeouts, classes: messageClassesOf(app) },
      onConnectionRefused: metrics.httpConnectionRefused,
      onRequestRefused: () => metrics.refused('too-many-requests'),
    },
  );
  return {
    url: `http://${listener.address}`,
    port: Number(listener.address.split(':')[1]),
    ...{ store, index, api, registry, sockets },
    bufferedBytes: () => [...sockets].reduce((bytes, socket) => bytes + socket.writableLength, 0),
    close: () => {
      api.drain();
      return listener.close();
    },
  };
}
