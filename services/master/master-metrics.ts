// What a master measures of itself, besides what every process does.

import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../../runtime/metrics.ts';

export interface MasterMetrics {
  readonly leading: Gauge;
  readonly assigned: Counter;
  readonly removed: Counter;
}

export function createMasterMetrics(registry: Metrics): MasterMetrics {
  const registers = [registry];
  return {
    leading: new Gauge({ name: 'taskkeeper_master_leading', help: '1 while this master leads', registers }),
    assigned: new Counter({ name: 'taskkeeper_assignments_total', help: 'Tasks given to workers', registers }),
    removed: new Counter({ name: 'taskkeeper_removals_total', help: 'Finished tasks removed', registers }),
  };
}
