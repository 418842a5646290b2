// One metrics registry for a process, with Node's own measurements in it (event loop delay, heap, CPU, open handles).
// The process adds its own to it; the admin server or the gateway renders it as Prometheus text.

import { collectDefaultMetrics, Registry } from 'prom-client';

export type Metrics = Registry;

/** At rest the delay of the event loop is told as that: it is the time between two calls of a timer. */
export const loopTimerMs = 500;

export function createMetrics(): Metrics {
  const metrics = new Registry();
  // The event loop's delay is measured by a timer, by default every 10 ms, which keeps a processor from resting: at half a second
  // what a process at rest does for it is lost among the rest, and a long turn is still found in proportion to its length.
  collectDefaultMetrics({ register: metrics, eventLoopMonitoringPrecision: loopTimerMs });
  return metrics;
}
