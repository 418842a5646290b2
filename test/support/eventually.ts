// Waiting for a condition of somebody else's process, with a deadline. Where there is an event to wait for, wait for that
// (`waitForLog`, `Changes`, a watch); this is for what can only be asked.

import { setTimeout as delay } from 'node:timers/promises';

const pauseMs = 20;

/** Asks `look` until it returns something other than null, undefined or false; what it throws counts as "not yet". */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown = 'nothing';
  for (;;) {
    try {
      const found = await look();
      if (found !== null && found !== undefined && found !== false) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`${timeoutMs} ms passed before: ${what}`, { cause: last });
    await delay(pauseMs);
  }
}
