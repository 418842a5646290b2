// Submits with an idempotency key: the key's znode and the tasks are created in one transaction, so they exist together
// or not at all, whatever became of the answer. The names of the tasks are not known when the key is written; they and the
// key find each other by equal czxid and submit id. Every submit also sets the key's bucket, so that the bucket's version tells
// whether a key may have been made anew since it was read: its own version, always 0, would not.

import type { TaskId, TaskRecord } from '../domain/task.ts';
import { createIfMissing } from './bootstrap.ts';
import { isRefusal } from './coordination-error.ts';
import { keyPaths } from './key-paths.ts';
import { isNewer } from './record-json.ts';
import type { Session } from './session.ts';
import type { FoundTasks } from './task-search.ts';
import type { TaskSubmission } from './task-submission.ts';
import { untilKnown } from './until-known.ts';
import { paths } from './znode-paths.ts';
import { decodeKey, encodeKey, type KeyRecord } from './znode-records.ts';
import type { Operation } from './zookeeper-requests.ts';

/** The key was used for another request. */
export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

/** A newer version of us wrote what is kept of the key: what it stands for is not for us to tell, nor to undo. */
export class UnreadableKey extends Error {
  override readonly name = 'UnreadableKey';
}

export interface KeyedTasks {
  /** In the order of the records; where the key had made them before, those that are still there. */
  readonly tasks: readonly TaskId[];
  readonly createdAt: number;
}

export interface KeyedSubmit extends KeyedTasks {
  /** False: the key had made these tasks before. */
  readonly created: boolean;
}

/**
 * The records have one `idempotencyKey` and one `submitId`. `fingerprint` is equal for equal requests. `admit` is asked
 * before tasks are made, perhaps more than once, and may throw; a request whose tasks exist already is answered without.
 * Throws {@link IdempotencyKeyReused}, {@link UnreadableKey}, UnreadableTask and what {@link TaskSubmission.commit} throws, with
 * an outcome `unknown` only where the session ended before it was known.
 */
export function submitOnce(
  session: Session,
  submission: TaskSubmission,
  records: readonly TaskRecord[],
  fingerprint: string,
  admit: () => void,
): Promise<KeyedSubmit> {
  const { idempotencyKey = null, submitId = null, submittedAt = 0 } = records[0] ?? {};
  const { bucket, path } = keyPaths(idempotencyKey ?? '');
  return untilKnown(session, path, async () => {
    const { first, orphanOf } = await lookBeforeCreate(session, submission, idempotencyKey ?? '', fingerprint);
    if (first) return { ...first, created: first.submitId === submitId };
    if (orphanOf !== null) await removeOrphan(session, bucket, orphanOf, path);
    const key = { fingerprint, submitId: submitId ?? '', nextNumber: submission.nextNumber };
    const before: Operation[] = [
      { kind: 'set', path: bucket, data: Buffer.alloc(0), version: null },
      { kind: 'create', path, data: encodeKey(key), mode: 'persistent' },
    ];
    admit();
    try {
      const tasks = await submission.commit(before, records);
      return { tasks, createdAt: submittedAt, created: true };
    } catch (error) {
      if (isRefusal(error, 'no_node')) await ensureBucket(session, bucket);
      throw error;
    }
  });
}

/** What the key has made and is still there, if anything. Throws as {@link submitOnce} does. */
export async function findByKey(
  session: Session,
  submission: TaskSubmission,
  idempotencyKey: string,
  fingerprint: string,
): Promise<KeyedTasks | null> {
  await session.sync(keyPaths(idempotencyKey).path);
  return (await lookUpKey(session, submission, idempotencyKey, fingerprint)).first;
}

interface KeyLook {
  readonly first: (KeyedTasks & { readonly submitId: string }) | null;
  /** The version of its bucket, where the key is there and its tasks are not. */
  readonly orphanOf: number | null;
}

/**
 * Our server may be behind. That there is no key the create will find out; one that it shows may be gone by now, or made
 * anew by another request, so nothing is answered from it before a `sync`.
 */
async function lookBeforeCreate(
  session: Session,
  submission: TaskSubmission,
  idempotencyKey: string,
  fingerprint: string,
): Promise<KeyLook> {
  const { path } = keyPaths(idempotencyKey);
  // A gateway that has not submitted for long would name a number so low that finding the task reads all younger ones.
  const [shown] = await Promise.all([session.exists(path), submission.start()]);
  if (!shown) return { first: null, orphanOf: null };
  await session.sync(path);
  return lookUpKey(session, submission, idempotencyKey, fingerprint);
}

/** To be called after a `sync`. */
async function lookUpKey(
  session: Session,
  submission: TaskSubmission,
  idempotencyKey: string,
  fingerprint: string,
): Promise<KeyLook> {
  const { bucket, path } = keyPaths(idempotencyKey);
  const [bucketStat, known] = await Promise.all([session.exists(bucket), session.getData(path), submission.start()]);
  if (!known) return { first: null, orphanOf: null };
  if (isNewer(known.data)) throw new UnreadableKey();
  const key: KeyRecord | null = decodeKey(known.data);
  if (key && key.fingerprint !== fingerprint) throw new IdempotencyKeyReused();
  const found = key && (await submission.findByTransaction(known.stat.czxid, key.submitId, key.nextNumber));
  if (!found) return { first: null, orphanOf: bucketStat?.version ?? null };
  const tasks = await stillThere(session, found);
  return { first: { submitId: key.submitId, createdAt: found.createdAt, tasks }, orphanOf: null };
}

/** Others of a batch may have been removed since. */
async function stillThere(session: Session, { tasks, czxid }: FoundTasks): Promise<TaskId[]> {
  if (tasks.length === 1) return tasks;
  const stats = await Promise.all(tasks.map((task) => session.exists(paths.task(task))));
  return tasks.filter((_, place) => stats[place]?.czxid === czxid);
}

/** Its parent too, which somebody may have removed by hand. */
async function ensureBucket(session: Session, bucket: string): Promise<void> {
  await createIfMissing(session, paths.idempotency);
  await createIfMissing(session, bucket);
}

/** Removes a key whose tasks are gone, unless a key was made in its bucket since: it might be this one, with its tasks. */
async function removeOrphan(session: Session, bucket: string, bucketVersion: number, path: string): Promise<void> {
  try {
    await session.commit([
      { kind: 'check', path: bucket, version: bucketVersion },
      { kind: 'remove', path, version: null },
    ]);
  } catch (error) {
    if (!isRefusal(error, 'no_node') && !isRefusal(error, 'bad_version')) throw error; // another look will tell
  }
}
