// What the removal of a final task consists of: everything below it, its idempotency key where it has that alone, and the
// task, in one transaction. The key of a batch stays until all of its tasks are gone: the leading master, which sees them
// all, removes it then. Where none led, or it died before, the key stays and does no harm: a submit with it finds
// that its tasks are gone, removes it and makes new ones.
//
// The task's status is among what is below it, so the transaction is refused where there is none
// (any more); whoever relied on an older picture looks again. The assignment of a task that is gone is the master's to settle.

import type { TaskId, TaskRecord } from '../domain/task.ts';
import { CoordinationError } from './coordination-error.ts';
import type { GroupCommit } from './group-commit.ts';
import { keyPaths } from './key-paths.ts';
import type { Session } from './session.ts';
import { decodeTask } from './task-record.ts';
import { ifAllowed } from './unreadable-task.ts';
import { untilKnown } from './until-known.ts';
import { paths } from './znode-paths.ts';
import type { Operation } from './zookeeper-requests.ts';

export interface TaskRemoval {
  readonly task: TaskId;
  readonly czxid: bigint;
  /** The key that goes with it: see {@link keyToRemove}. */
  readonly idempotencyKey: string | null;
  /** Names of what is known to be below it. */
  readonly children: readonly string[];
}

export type RemovalOutcome = 'removed' | 'not final' | 'no such task';

/** The tasks of a batch share its key: see {@link removeKeyOfBatch}. */
export function keyToRemove({ idempotencyKey, batch }: Pick<TaskRecord, 'idempotencyKey' | 'batch'>): string | null {
  return batch === null || batch.size === 1 ? idempotencyKey : null;
}

/**
 * Of tasks that were made by transaction `czxid` and are all gone. A key that was made anew since is another one: each
 * submit sets the bucket. Throws CoordinationError.
 */
export function removeKeyOfBatch(
  session: Session,
  commits: GroupCommit,
  idempotencyKey: string,
  czxid: bigint,
): Promise<void> {
  const { bucket, path } = keyPaths(idempotencyKey);
  return untilKnown(session, path, async () => {
    const [bucketStat, stat] = await Promise.all([session.exists(bucket), session.exists(path)]);
    if (!bucketStat || stat?.czxid !== czxid) return;
    await commits.commit([{ kind: 'check', path: bucket, version: bucketStat.version }, removal(path)]);
  });
}

/**
 * Removes the task that `session` shows under this name, or the one that is `known`, for a first try without a look.
 * `commits` may carry guards. Throws UnreadableTask and CoordinationError; what it lost the answer to it has looked up while the session lives.
 */
export async function removeTask(
  session: Session,
  commits: GroupCommit,
  task: TaskId,
  known: TaskRemoval | null = null,
): Promise<RemovalOutcome> {
  const path = paths.task(task);
  let answerLost = false;
  let czxid = known?.czxid ?? null;
  let next = known;
  return await untilKnown(session, path, async () => {
    const found = next ?? (await look(session, task));
    next = null;
    // Gone, or gone and another task has its name: by us, where an answer was lost.
    if (found === null || (czxid !== null && found.czxid !== czxid)) return answerLost ? 'removed' : 'no such task';
    if (!found.children.includes('status')) return 'not final';
    czxid = found.czxid;
    try {
      await commits.commit(await removalOperations(session, found));
    } catch (error) {
      answerLost ||= error instanceof CoordinationError && error.outcome === 'unknown';
      throw error;
    }
    return 'removed';
  });
}

async function look(session: Session, task: TaskId): Promise<TaskRemoval | null> {
  const path = paths.task(task);
  const [, znode, listed] = await ifAllowed(task, () =>
    Promise.all([session.sync(path), session.getData(path), session.getChildren(path)]),
  );
  if (!znode || !listed) return null;
  const reading = decodeTask(znode.data, znode.stat.ctime);
  // A key that cannot be read stays; whoever uses it next finds that its task is gone.
  const idempotencyKey = reading.kind === 'task' ? keyToRemove(reading.record) : null;
  return { task, czxid: listed.stat.czxid, idempotencyKey, children: listed.children };
}

async function removalOperations(
  session: Session,
  { task, czxid, idempotencyKey, children }: TaskRemoval,
): Promise<Operation[]> {
  const below = children.map((name) => removal(`${paths.task(task)}/${name}`));
  const key = idempotencyKey === null ? [] : await keyRemoval(session, idempotencyKey, czxid);
  return [...below, ...key, removal(paths.task(task))];
}

/** The key belongs to the task that was created with it and to no other. */
async function keyRemoval(session: Session, idempotencyKey: string, czxid: bigint): Promise<Operation[]> {
  const { path } = keyPaths(idempotencyKey);
  const stat = await session.exists(path);
  return stat?.czxid === czxid ? [{ kind: 'remove', path, version: stat.version }] : [];
}

function removal(path: string): Operation {
  return { kind: 'remove', path, version: null };
}
