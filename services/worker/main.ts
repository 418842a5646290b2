// The worker process: `node dist/services/worker/main.js` (contract section 2).

import { runSessions } from '../../coordination/session-loop.ts';
import { sessionOptions } from '../../coordination/session-options.ts';
import type { WorkerId } from '../../domain/task.ts';
import { startAdminServer } from '../../runtime/admin-server.ts';
import { readWorkerConfig } from '../../runtime/config.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { runService } from '../../runtime/service.ts';
import { createHandlerRegistry } from './handler-registry.ts';
import { runWorker } from './worker.ts';
import { createWorkerMetrics } from './worker-metrics.ts';

/** Beyond the grace: for handlers that are deaf to their signal, for what is left to be recorded, and to close. */
const stopMarginMs = 15_000;

await runService(
  {
    role: 'worker',
    readConfig: readWorkerConfig,
    processName: ({ id }) => id,
    stopMsMax: ({ drainGraceMs, zookeeper }) => drainGraceMs + zookeeper.sessionTimeoutMs + stopMarginMs,
  },
  async ({ config, log, stop }) => {
    const metricsRegistry = createMetrics();
    const registry = await createHandlerRegistry({ ...config, log });
    let ready = false;
    const { host, advertisedHost, adminPort: port, concurrency, queues } = config;
    const isReady = () => ready;
    const admin = await startAdminServer({ host, port, advertisedHost, log, metrics: metricsRegistry, isReady });
    log.info({ admin: admin.address }, 'started');
    const options = {
      id: config.id as WorkerId,
      record: { address: admin.address, concurrency, types: registry.types, queues, draining: false },
      registry,
      drainGraceMs: config.drainGraceMs,
      log,
      metrics: createWorkerMetrics(metricsRegistry),
      onReady: (is: boolean) => {
        ready = is;
      },
    };
    await runSessions(sessionOptions(config.zookeeper, log), stop, (session) => runWorker(session, options, stop));
    await registry.close();
    await admin.close();
  },
);
