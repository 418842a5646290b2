// Time that never goes back. Leases and deadlines are kept by this clock; wall-clock time is only for what people read.
// On Linux it is CLOCK_MONOTONIC, the same for all processes of one machine.

/** Milliseconds, fractions included, since some fixed moment. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
