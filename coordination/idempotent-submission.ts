// Submits with an idempotency key: the key's znode and the task are created in one transaction, so they exist together
// or not at all, whatever became of the answer. The name of the task is not known when the key is written; the two find
// each other by equal czxid and submit id. Every submit also sets the key's bucket, so that the bucket's version tells
// whether a key may have been made anew since it was read: its own version, always 0, would not.

import type { TaskRecord } from '../domain/task.ts';
import { createIfMissing } from './bootstrap.ts';
import { CoordinationError, isRefusal } from './coordination-error.ts';
import { keyPaths } from './key-paths.ts';
import type { Session } from './session.ts';
import type { Candidate, FoundTask, TaskSubmission } from './task-submission.ts';
import { paths } from './znode-paths.ts';
import { decodeKey, encodeKey, type KeyRecord } from './znode-records.ts';
import type { Operation, Znode } from './zookeeper-requests.ts';

/** The key was used for another request. */
export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

export interface KeyedSubmit extends FoundTask {
  /** False: the key had made this task before. */
  readonly created: boolean;
}

/** Two gateways, a lost answer and a task that was deleted under us: each is one more look, no more. */
const looksMax = 10;

/**
 * `record.idempotencyKey` must be set. `fingerprint` is equal for equal requests. `admit` is asked before a task is made
 * and may throw; a request whose task exists already is answered without. Throws {@link IdempotencyKeyReused} and
 * what {@link TaskSubmission.commit} throws, with an outcome `unknown` only where the session ended before it was known.
 */
export async function submitOnce(
  session: Session,
  submission: TaskSubmission,
  record: TaskRecord,
  fingerprint: string,
  admit: () => void,
): Promise<KeyedSubmit> {
  let maybeApplied = false;
  try {
    return await submitLooking(session, submission, record, fingerprint, admit, () => {
      maybeApplied = true;
    });
  } catch (error) {
    if (!maybeApplied || !(error instanceof CoordinationError)) throw error;
    throw new CoordinationError(error.code, 'unknown', error.message);
  }
}

async function submitLooking(
  session: Session,
  submission: TaskSubmission,
  record: TaskRecord,
  fingerprint: string,
  admit: () => void,
  onUnknown: () => void,
): Promise<KeyedSubmit> {
  const { bucket, path } = keyPaths(record.idempotencyKey ?? '');
  for (let look = 1; ; look += 1) {
    // A gateway that has not submitted for long would name a number so low that finding the task reads all younger ones.
    const [bucketStat, known] = await Promise.all([session.exists(bucket), session.getData(path), submission.start()]);
    if (known) {
      const first = await firstTask(submission, known, fingerprint);
      if (!first && bucketStat) await removeOrphan(session, bucket, bucketStat.version, path);
      if (first) return { ...first, created: decodeKey(known.data)?.submitId === record.submitId };
    }
    const key = { fingerprint, submitId: record.submitId ?? '', nextNumber: submission.nextNumber };
    const before: Operation[] = [
      { kind: 'set', path: bucket, data: Buffer.alloc(0), version: null },
      { kind: 'create', path, data: encodeKey(key), mode: 'persistent' },
    ];
    admit();
    try {
      const task = await submission.commit(before, record);
      return { task, createdAt: record.submittedAt, created: true };
    } catch (error) {
      if (error instanceof CoordinationError && error.outcome === 'unknown') onUnknown();
      if (!(error instanceof CoordinationError) || look === looksMax || session.signal.aborted) throw error;
      if (error.code === 'no_node') await ensureBucket(session, bucket);
      else if (error.code === 'node_exists' || error.outcome === 'unknown') await session.sync(path);
      else throw error;
    }
  }
}

/** Its parent too, which somebody may have removed by hand. */
async function ensureBucket(session: Session, bucket: string): Promise<void> {
  await createIfMissing(session, paths.idempotency);
  await createIfMissing(session, bucket);
}

/** The task that was created with the key; null where it is gone. */
async function firstTask(
  submission: TaskSubmission,
  { data, stat }: Znode,
  fingerprint: string,
): Promise<FoundTask | null> {
  const key: KeyRecord | null = decodeKey(data);
  if (key && key.fingerprint !== fingerprint) throw new IdempotencyKeyReused();
  const matches = ({ czxid, submitId }: Candidate) => czxid === stat.czxid && submitId === key?.submitId;
  return key && (await submission.find(key.nextNumber, matches));
}

/** Removes a key whose task is gone, unless a key was made in its bucket since: it might be this one, with its task. */
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
