// What a request runs into that is no operating error: a bug. The caller gets 'internal-error' and nothing of the
// inside, the log gets all of it. A failed invariant also ends the process, as everywhere (domain/invariant.ts); a
// supervisor starts a clean one.

import { ServiceError } from '../domain/errors.ts';
import { InvariantViolation } from '../domain/invariant.ts';
import type { Log } from '../runtime/log.ts';

export function reportUnexpected(error: unknown, log: Log): ServiceError {
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
