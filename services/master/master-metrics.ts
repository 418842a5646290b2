// What a master measures of itself, besides what every process does.

import { Counter, Gauge } from 'prom-client';
import { limits } from '../../domain/limits.ts';
import type { Metrics } from '../../runtime/metrics.ts';

export interface MasterMetrics {
  readonly leading: Gauge;
  readonly assigned: Counter;
  readonly removed: Counter;
  /** The highest task number seen: the sequence ends at 2147483647, and submits are refused somewhat before. */
  readonly newestTaskNumber: Gauge;
}

export function createMasterMetrics(registry: Metrics): MasterMetrics {
  const registers = [registry];
  return {
    leading: new Gauge({ name: 'taskkeeper_master_leading', help: '1 while this master leads', registers }),
    assigned: new Counter({ name: 'taskkeeper_assignments_total', help: 'Tasks given to workers', registers }),
    newestTaskNumber: new Gauge({
      name: 'taskkeeper_newest_task_number',
      help: `The highest task number seen; submits are refused from ${limits.taskNumberMax} on`,
      registers,
    }),
    removed: new Counter({ name: 'taskkeeper_removals_total', help: 'Finished tasks removed', registers }),
  };
}
