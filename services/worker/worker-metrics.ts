// What a worker measures of itself, besides what every process does.

import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../../runtime/metrics.ts';

export interface WorkerMetrics {
  readonly running: Gauge;
  readonly attempts: Counter<'kind'>;
}

export function createWorkerMetrics(registry: Metrics): WorkerMetrics {
  const registers = [registry];
  const name = 'taskkeeper_attempts_total';
  return {
    running: new Gauge({ name: 'taskkeeper_worker_running', help: 'Attempts running now', registers }),
    attempts: new Counter({ name, help: 'Attempts ended, by how', labelNames: ['kind'], registers }),
  };
}
