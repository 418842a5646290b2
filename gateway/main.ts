// The gateway process: `node dist/gateway/main.js` (contract section 2).

import { runSessions } from '../coordination/session-loop.ts';
import { sessionOptions } from '../coordination/session-options.ts';
import { readGatewayConfig } from '../runtime/config.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { openFilesMax } from '../runtime/open-files.ts';
import { runService } from '../runtime/service.ts';
import { startGateway } from './gateway.ts';
import { MasterIndexClient } from './store/master-index-client.ts';
import { ZooKeeperScheduleStore } from './store/zookeeper-schedule-store.ts';
import { ZooKeeperTaskStore } from './store/zookeeper-task-store.ts';

const service = { role: 'gateway', readConfig: readGatewayConfig, stopMsMax: 30_000 };
await runService(service, async ({ config, log, stop }) => {
  const readyListeners = new Set<() => void>();
  const store = new ZooKeeperTaskStore(config.unfinishedTasksMax, () => {
    for (const listener of readyListeners) listener();
  });
  const scheduleStore = new ZooKeeperScheduleStore();
  const index = new MasterIndexClient();
  const { host, advertisedHost, httpPort, grpcPort, waitsMax: maxWaits } = config;
  const gateway = await startGateway({
    store,
    scheduleStore,
    index,
    config: { host, advertisedHost, httpPort, grpcPort, maxWaits, filesMax: openFilesMax() },
    log,
    registry: createMetrics(),
    onReadyChanged: (listener) => readyListeners.add(listener),
  });
  log.info({ http: gateway.httpAddress, grpc: gateway.grpcAddress }, 'started');
  // The session outlives the draining: what is held is answered with a state that is still read.
  const drained = new AbortController();
  const sessions = runSessions(sessionOptions(config.zookeeper, log), drained.signal, async (session) => {
    await Promise.all([store, scheduleStore, index].map((part) => part.serve(session, drained.signal)));
  });
  stop.addEventListener('abort', () => void gateway.drain().finally(() => drained.abort()), { once: true });
  await sessions;
});
