// One metrics registry for a process, with Node's own measurements in it (event loop delay, heap, CPU, open handles).
// The process adds its own to it; the admin server or the gateway renders it as Prometheus text.

import { collectDefaultMetrics, Registry } from 'prom-client';

export type Metrics = Registry;

export function createMetrics(): Metrics {
  const metrics = new Registry();
  // The event loop's delay is measured by a timer, by default every 10 ms: half a hundredth of a processor for a process at rest.
  collectDefaultMetrics({ register: metrics, eventLoopMonitoringPrecision: 100 });
  return metrics;
}
