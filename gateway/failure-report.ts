// What becomes of a failed request besides its answer, whichever face it came in by: it is counted by its reason, and the log
// gets what the caller does not. That is of an operating error the cause, where it lies with us or what we stand on; and all
// of a bug, of which the caller only hears 'internal-error'.

import { ServiceError } from '../domain/errors.ts';
import { InvariantViolation } from '../domain/invariant.ts';
import { monotonicMs } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { httpStatusOf } from './error-mapping.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { serverLimits } from './server-limits.ts';

/** Takes what a request ended with, and returns what to answer. */
export type FailureReport = (error: unknown) => ServiceError;

export function createFailureReport(log: Log, metrics: Pick<GatewayMetrics, 'refused'>): FailureReport {
  const outages = new OutageLog(log);
  return (error) => {
    const told = error instanceof ServiceError ? error : reportUnexpected(error, log);
    metrics.refused(told.reason);
    if (httpStatusOf(told.reason) === 503) outages.add(told);
    return told;
  };
}

/** During an outage every request fails for the same reason, thousands in a second: each kind of that is told now and then. */
export class OutageLog {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { readonly loggedAt: number; unlogged: number }>();

  constructor(log: Log, now: () => number = monotonicMs) {
    this.#log = log;
    this.#now = now;
  }

  add(error: ServiceError): void {
    const { reason, cause, message } = error;
    const kind = `${reason} ${nameOf(cause)}`;
    const known = this.#kinds.get(kind);
    if (known && this.#now() - known.loggedAt < serverLimits.outageLogIntervalMs) {
      known.unlogged += 1;
      return;
    }
    if (this.#kinds.size >= serverLimits.outageKindsMax) this.#kinds.clear();
    this.#kinds.set(kind, { loggedAt: this.#now(), unlogged: 0 });
    const why = cause === undefined ? { detail: message } : { err: cause };
    this.#log.warn({ reason, ...why, unlogged: known?.unlogged ?? 0 }, 'a request was refused');
  }
}

/** Its code, as those of the system and of ZooKeeper have, or its class. */
function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'none';
  return 'code' in cause ? String(cause.code) : cause.name;
}

/** A failed invariant also ends the process, as everywhere (domain/invariant.ts); a supervisor starts a clean one. */
function reportUnexpected(error: unknown, log: Log): ServiceError {
  log.error({ err: error }, 'a request failed unexpectedly');
  if (error instanceof InvariantViolation) {
    // Outside of the request, where no framework catches it; the answer goes out first.
    setImmediate(() => {
      throw error;
    });
  }
  return new ServiceError('internal-error', 'Something went wrong here; it is in the log of the gateway.', {
    cause: error,
  });
}
