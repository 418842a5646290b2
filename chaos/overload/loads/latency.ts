// What is told of many durations. Pure.

import { percentile } from '../../../test/support/many-tasks.ts';

export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** All zero where there are none. */
export function latencyOf(ms: readonly number[]): Latency {
  if (ms.length === 0) return { count: 0, p50: 0, p99: 0, max: 0 };
  return { count: ms.length, p50: percentile(ms, 0.5), p99: percentile(ms, 0.99), max: percentile(ms, 1) };
}
