// The parents of the tree, made by whichever process starts first and again whenever one is found missing.

import { isRefusal } from './coordination-error.ts';
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

export async function createIfMissing(session: Session, path: string): Promise<void> {
  try {
    await session.commit([{ kind: 'create', path, data: Buffer.alloc(0), mode: 'persistent' }]);
  } catch (error) {
    if (!isRefusal(error, 'node_exists')) throw error;
  }
}
