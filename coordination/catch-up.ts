// The wait after a commit of the leader whose answer was lost: only behind a `sync` does a picture show what became of it.

import { CoordinationError } from './coordination-error.ts';
import type { Session } from './session.ts';
import { paths } from './znode-paths.ts';

/** Resolves once this session's server shows everything that was committed before, or the session is over. */
export async function catchUp(session: Session): Promise<void> {
  while (!session.signal.aborted) {
    try {
      return await session.sync(paths.tasks);
    } catch (error) {
      if (!(error instanceof CoordinationError)) throw error; // its deadline, mostly: asked again
    }
  }
}
