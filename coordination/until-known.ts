// Writes that look before they write and may be repeated: where somebody else was faster, or where the answer was lost,
// another look after a `sync` tells what is to be done, as long as the session lives. What was sent in a session
// comes before what it sends later, so that look is conclusive.

import { type CoordinationCode, CoordinationError } from './coordination-error.ts';
import type { Session } from './session.ts';

/** Each refusal, lost answer or removal under us is one more look, no more. */
const looksMax = 10;
/** What was read before the write was not so any more. */
const overtaken: ReadonlySet<CoordinationCode> = new Set(['no_node', 'node_exists', 'bad_version', 'not_empty']);

/**
 * Runs `lookAndWrite` until it neither is overtaken nor loses its answer. Throws {@link CoordinationError}, with outcome
 * `unknown` only where something was sent whose outcome could not be looked up: the session ended before.
 */
export async function untilKnown<T>(session: Session, path: string, lookAndWrite: () => Promise<T>): Promise<T> {
  let maybeApplied = false;
  try {
    for (let look = 1; ; look += 1) {
      try {
        return await lookAndWrite();
      } catch (error) {
        if (!(error instanceof CoordinationError)) throw error;
        if (error.outcome === 'unknown') maybeApplied = true;
        const isWorthALook = error.outcome === 'unknown' || overtaken.has(error.code);
        if (!isWorthALook || look === looksMax || session.signal.aborted) throw error;
      }
      await session.sync(path);
    }
  } catch (error) {
    if (!maybeApplied || !(error instanceof CoordinationError)) throw error;
    throw new CoordinationError(error.code, 'unknown', error.what, error.operationIndex);
  }
}
