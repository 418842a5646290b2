// The master process: `node dist/services/master/main.js` (contract section 2).

import { runSessions } from '../../coordination/session-loop.ts';
import { sessionOptions } from '../../coordination/session-options.ts';
import { startAdminServer } from '../../runtime/admin-server.ts';
import { readMasterConfig } from '../../runtime/config.ts';
import { limitHeapGrowth } from '../../runtime/heap-growth.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { runService } from '../../runtime/service.ts';
import { indexRoutes } from './index-routes.ts';
import { runMaster } from './master.ts';
import { createMasterMetrics } from './master-metrics.ts';
import { MasterView } from './master-view.ts';

/** What a hundred thousand tasks take, grown by that, stays below 250 MB (docs/performance.md). */
const heapRoomBytes = 40 * 2 ** 20;
limitHeapGrowth(heapRoomBytes);

await runService(
  { role: 'master', readConfig: readMasterConfig, processName: ({ id }) => id, stopMsMax: 15_000 },
  async ({ config, log, stop }) => {
    const registry = createMetrics();
    const view = new MasterView();
    const metrics = createMasterMetrics(registry, view);
    let ready = false;
    const { host, advertisedHost, adminPort: port } = config;
    const isReady = () => ready;
    const routes = indexRoutes(view);
    const admin = await startAdminServer({ host, port, advertisedHost, log, metrics: registry, isReady, routes });
    view.address = admin.address;
    log.info({ admin: admin.address }, 'started');
    const onReady = (is: boolean) => {
      ready = is;
    };
    const candidate = { masterId: config.id, address: admin.address };
    const options = { candidate, log, metrics, view, retention: config, onReady };
    await runSessions(sessionOptions(config.zookeeper, log), stop, (session) => runMaster(session, options, stop));
    await admin.close();
  },
);
