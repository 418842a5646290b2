// The gateway as a whole: both faces over one TaskApi over a TaskStore. Called by main.ts, which brings the store, the
// log and the signals; and by tests.

import type { Registry } from 'prom-client';
import type { Log } from '../runtime/log.ts';
import type { MasterIndex } from './api/master-index.ts';
import { ScheduleApi } from './api/schedule-api.ts';
import type { ScheduleStore } from './api/schedule-store.ts';
import { TaskApi } from './api/task-api.ts';
import type { TaskStore } from './api/task-store.ts';
import { connectionLimits } from './connection-limits.ts';
import { createFailureReport } from './failure-report.ts';
import { createGatewayMetrics } from './gateway-metrics.ts';
import { listenGrpc } from './grpc/grpc-server.ts';
import { messageClassesOf } from './http/express-messages.ts';
import { listenHttp } from './http/http-listener.ts';
import { createHttpApp } from './http/http-server.ts';

export interface GatewayConfig {
  readonly host: string;
  readonly advertisedHost: string;
  /** 0: any. */
  readonly httpPort: number;
  /** 0: any. */
  readonly grpcPort: number;
  /** Requests that may wait at the same time, both faces together. */
  readonly maxWaits: number;
  /** Files and sockets that the process may have open; null where nobody says. */
  readonly filesMax: number | null;
}

export interface GatewayOptions {
  readonly store: TaskStore;
  readonly scheduleStore: ScheduleStore;
  readonly index: MasterIndex;
  readonly config: GatewayConfig;
  readonly log: Log;
  readonly registry: Registry;
  /** Calls the listener after each change of `store.isReady()`, for those who watch the gRPC health service. */
  readonly onReadyChanged: (listener: () => void) => void;
}

export interface Gateway {
  /** `host:port` as bound. */
  readonly httpAddress: string;
  readonly grpcAddress: string;
  /** Stops accepting, answers what is held with the present state, closes. */
  drain(): Promise<void>;
}

const fewFiles =
  'this process may not open as many files as MAX_WAITS would need, so fewer connections are taken: raise its limit (ulimit -n)';

/** Throws, with what to change, when a port cannot be listened on; then nothing is left open. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { store, scheduleStore, index, config, log, registry } = options;
  const api = new TaskApi(store, index, config.maxWaits);
  const schedules = new ScheduleApi(scheduleStore, store);
  const metrics = createGatewayMetrics(registry, () => api.waiting);
  const failures = createFailureReport(log, metrics);
  const { host, httpPort, grpcPort } = config;
  const connections = connectionLimits(config.maxWaits, config.filesMax);
  if (config.filesMax !== null && config.filesMax < connections.filesWanted) {
    log.warn({ openFiles: config.filesMax, connections }, fewFiles);
  }
  const app = createHttpApp({ api, schedules, registry, metrics, failures, names: config });
  const http = await listenHttp(app, {
    ...{ host, port: httpPort, connectionsMax: connections.http, classes: messageClassesOf(app) },
    onConnectionRefused: metrics.httpConnectionRefused,
    onRequestRefused: () => metrics.refused('too-many-requests'),
  });
  const { grpcConnectionRefused: onConnectionRefused } = metrics;
  const forGrpc = { host, port: grpcPort, connectionsMax: connections.grpc, onConnectionRefused };
  const grpc = await listenGrpc({ api, schedules, metrics, failures }, forGrpc).catch(async (error: unknown) => {
    await http.close();
    throw error;
  });
  const tellHealth = () => grpc.setServing(api.isReady);
  options.onReadyChanged(tellHealth);
  tellHealth();
  return {
    httpAddress: http.address,
    grpcAddress: grpc.address,
    drain: async () => {
      api.drain();
      tellHealth();
      await Promise.all([http.close(), grpc.close()]);
    },
  };
}
