// Asking again until there is an answer or the session is over. An assignment is held for exactly as long as the session
// lives, so whatever is asked about one is asked for that long: who gave up earlier would leave the task running for ever.
// Only for what may be repeated: reads, and writes that look first and then act on what they saw.

import { CoordinationError, isRefusal } from '../../coordination/coordination-error.ts';
import type { Session } from '../../coordination/session.ts';

/** Nobody has refused anything: there was no answer, or none in time. */
export function isUnanswered(error: unknown): boolean {
  if (!(error instanceof CoordinationError)) return false;
  return error.outcome === 'unknown' || error.code === 'deadline_exceeded' || error.code === 'connection_lost';
}

/** Also where what was seen had changed by the time of the write: who looks again may fare better. */
export function mayPass(error: unknown): boolean {
  const changed = isRefusal(error, 'bad_version') || isRefusal(error, 'no_node');
  return isUnanswered(error) || changed || isRefusal(error, 'session_moved'); // asked over a link that was left since
}

/** Rejects with the first error that is not `repeatable`, and with any once the session has ended. */
export async function whileSessionLives<T>(
  session: Session,
  ask: () => Promise<T>,
  repeatable: (error: unknown) => boolean = isUnanswered,
): Promise<T> {
  for (;;) {
    try {
      return await ask(); // no pause between: each takes until its deadline, or until the link is back
    } catch (error) {
      if (session.signal.aborted || !repeatable(error)) throw error;
    }
  }
}
