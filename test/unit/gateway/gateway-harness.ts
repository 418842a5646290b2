// A gateway over a store in memory on free ports of loopback, for the tests of its two faces.

import { Registry } from 'prom-client';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import { createLog, type Log } from '../../../runtime/log.ts';
import { InMemoryIndex } from './in-memory-index.ts';
import { InMemoryScheduleStore } from './in-memory-schedule-store.ts';
import { InMemoryTaskStore } from './in-memory-task-store.ts';

export interface TestGateway extends Gateway {
  readonly store: InMemoryTaskStore;
  readonly scheduleStore: InMemoryScheduleStore;
  readonly index: InMemoryIndex;
  readonly registry: Registry;
  readonly url: string;
  /** Changes readiness as the real store would: state first, then the call. */
  setReady(ready: boolean): void;
}

export interface TestGatewayOptions {
  readonly httpPort?: number;
  readonly grpcPort?: number;
  readonly log?: Log;
}

export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const { httpPort = 0, grpcPort = 0, log = createLog('gateway', 'silent') } = options;
  const store = new InMemoryTaskStore();
  const scheduleStore = new InMemoryScheduleStore();
  const index = new InMemoryIndex(store);
  const registry = new Registry();
  const listeners: (() => void)[] = [];
  const gateway = await startGateway({
    store,
    scheduleStore,
    index,
    registry,
    config: { host: '127.0.0.1', advertisedHost: '127.0.0.1', maxWaits: 100, httpPort, grpcPort, filesMax: null },
    log,
    onReadyChanged: (listener) => listeners.push(listener),
  });
  return {
    ...gateway,
    store,
    scheduleStore,
    index,
    registry,
    url: `http://${gateway.httpAddress}`,
    setReady: (ready) => {
      store.ready = ready;
      for (const listener of listeners) listener();
    },
  };
}
