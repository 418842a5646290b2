// A pause that ends early when nobody waits any more.

import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../runtime/clock.ts';

/** Until `time` (monotonic ms): keeps a store that answers "look again" without end from being asked without end. */
export async function restUntil(time: number, signal: AbortSignal): Promise<void> {
  const restMs = time - monotonicMs();
  if (restMs <= 0 || signal.aborted) return;
  await pause(restMs, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
