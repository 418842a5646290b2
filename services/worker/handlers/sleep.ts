// The `sleep` handler: takes `{"ms": 100}`, waits that long and results in null. Ends at once when its run is aborted.

import { setTimeout as delay } from 'node:timers/promises';
import { limits } from '../../../domain/limits.ts';
import type { Json } from '../../../domain/task.ts';
import type { Handler } from './handler.ts';
import { invalidPayload } from './handler-failure.ts';
import { objectPayload } from './object-payload.ts';

export const sleepHandler: Handler = async (payload, context) => {
  await delay(sleepMs(payload), undefined, { signal: context.signal });
  return null;
};

function sleepMs(payload: Json): number {
  const { ms } = objectPayload(payload, ['ms'], '{"ms": 100}');
  // No attempt lasts longer than timeoutMsMax, and timers take no more than 2^31 ms.
  if (typeof ms === 'number' && ms >= 0 && ms <= limits.timeoutMsMax) return ms;
  throw invalidPayload(`sleep: "ms" must be a number from 0 to ${limits.timeoutMsMax}`);
}
