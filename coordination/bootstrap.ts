// The parents of the tree, made by whichever process starts first and again whenever one is found missing.

import type { Log } from '../runtime/log.ts';
import { CoordinationError, isRefusal } from './coordination-error.ts';
import type { Session } from './session.ts';
import { parentPaths } from './znode-paths.ts';

/** Makes the chroot and every parent that is missing. Safe to run in any number of processes at once. */
export async function ensureParents(session: Session): Promise<void> {
  await session.ensureChroot();
  for (const path of parentPaths) {
    if (await session.exists(path)) continue;
    await createIfMissing(session, path);
  }
}

/** For whoever sees that somebody has removed one: nobody waits for it, and what went wrong is logged. */
export async function makeParentsAgain(session: Session, log: Log): Promise<void> {
  try {
    await ensureParents(session);
  } catch (error) {
    if (!(error instanceof CoordinationError)) throw error;
    log.warn({ err: error }, 'a parent znode is missing and could not be made again');
  }
}

export async function createIfMissing(session: Session, path: string): Promise<void> {
  try {
    await session.commit([{ kind: 'create', path, data: Buffer.alloc(0), mode: 'persistent' }]);
  } catch (error) {
    if (!isRefusal(error, 'node_exists')) throw error;
  }
}
