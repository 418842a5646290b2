// A worker's place in the tree: its ephemeral `/workers/<id>` and the `/assign/<id>` below which it is given tasks.

import type { WorkerId, WorkerRecord } from '../domain/task.ts';
import type { Log } from '../runtime/log.ts';
import { createIfMissing, ensureParents } from './bootstrap.ts';
import { CoordinationError, isRefusal } from './coordination-error.ts';
import { nextChange } from './next-change.ts';
import type { Session } from './session.ts';
import { paths } from './znode-paths.ts';
import { encodeWorker } from './znode-records.ts';

/**
 * Registers the worker, waiting while another session (its own former life, mostly) still holds the id. Returns the
 * czxid of the registration: an assignment that is older was given to a former life and must not be run.
 */
export async function register(session: Session, worker: WorkerId, record: WorkerRecord, log: Log): Promise<bigint> {
  const path = paths.worker(worker);
  await ensureParents(session);
  await createIfMissing(session, paths.assignments(worker));
  for (;;) {
    const change = nextChange(session, path);
    const found = await change.stat;
    if (found?.ephemeralOwner === session.id) {
      change.cancel();
      return found.czxid;
    }
    if (found) {
      log.warn({ path }, 'another session is registered under this id, waiting until it is gone');
      await change.happened;
      change.cancel();
    } else {
      change.cancel();
      await tryToCreate(session, path, encodeWorker(record));
    }
    if (session.signal.aborted) throw new CoordinationError('session_lost', 'not applied', `register ${path}`);
  }
}

/** Resolves at the next change of the registration, also at its removal by somebody else, and when the session ends. */
export async function registrationChanged(session: Session, worker: WorkerId): Promise<void> {
  const change = nextChange(session, paths.worker(worker));
  const found = await change.stat;
  if (found?.ephemeralOwner === session.id) await change.happened;
  change.cancel();
}

/** Replaces what the worker says of itself, where it is registered by this session. */
export async function announce(session: Session, worker: WorkerId, record: WorkerRecord): Promise<void> {
  const path = paths.worker(worker);
  const version = await ownVersion(session, path);
  if (version !== null) await session.commit([{ kind: 'set', path, data: encodeWorker(record), version }]);
}

/**
 * Leaves at once and without a trace. False: something is still assigned, so that nothing was done. Another session's
 * registration stays, and where the folder is missing so does ours, until the session ends.
 */
export async function deregister(session: Session, worker: WorkerId): Promise<boolean> {
  const path = paths.worker(worker);
  const version = await ownVersion(session, path);
  if (version === null) return true;
  try {
    await session.commit([
      { kind: 'remove', path, version },
      { kind: 'remove', path: paths.assignments(worker), version: null },
    ]);
    return true;
  } catch (error) {
    if (isRefusal(error, 'not_empty')) return false;
    if (isRefusal(error, 'no_node')) return true;
    throw error;
  }
}

/** Null where nobody, or another session, is registered under this id. */
async function ownVersion(session: Session, path: string): Promise<number | null> {
  const found = await session.exists(path);
  return found?.ephemeralOwner === session.id ? found.version : null;
}

/** Whether it worked shows at the next look: the owner of what is there then is this session or another. */
async function tryToCreate(session: Session, path: string, data: Buffer): Promise<void> {
  try {
    await session.commit([{ kind: 'create', path, data, mode: 'ephemeral' }]);
  } catch (error) {
    const lookAgain = error instanceof CoordinationError && error.outcome === 'unknown';
    if (!lookAgain && !isRefusal(error, 'node_exists')) throw error;
    await session.sync(path);
  }
}
