// One metrics registry for a process, with Node's own measurements in it (event loop delay, heap, CPU, open handles).
// The process adds its own to it; the admin server or the gateway renders it as Prometheus text.

import { collectDefaultMetrics, Registry } from 'prom-client';

export type Metrics = Registry;

export function createMetrics(): Metrics {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  return metrics;
}
