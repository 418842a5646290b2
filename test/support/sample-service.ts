// The smallest service there is, for tests of the harness.

import { once } from 'node:events';
import { readMasterConfig } from '../../runtime/config.ts';
import { runService } from '../../runtime/service.ts';

await runService(
  { role: 'master', readConfig: readMasterConfig, processName: (config) => config.id },
  async ({ log, stop }) => {
    log.info('ready');
    await once(stop, 'abort');
  },
);
