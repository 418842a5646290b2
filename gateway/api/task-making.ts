// Tasks that are made of something that is there already: of another task, of a schedule.

import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import { type TaskSnapshot, type TaskView, taskView } from '../../domain/task-view.ts';
import type { SubmittedTask } from './task-api.ts';
import { newborn } from './task-origin.ts';
import type { TaskStore } from './task-store.ts';

/**
 * The task of `recordOf`, or the one that the idempotency key has made before. That is looked for first: what it was made of may
 * be gone by the time that the request is repeated. `fingerprint` is equal for equal requests.
 */
export async function makeTask(
  store: TaskStore,
  idempotencyKey: string | null,
  fingerprint: string,
  recordOf: () => Promise<TaskRecord>,
): Promise<SubmittedTask> {
  const first = idempotencyKey === null ? null : await store.findByKey(idempotencyKey, fingerprint);
  if (first) return { task: taskView(await readFirstOfKey(store, first.id), Date.now()), created: false };
  const record = await recordOf();
  const { id, createdAt, created } = await store.submit(record, idempotencyKey === null ? null : fingerprint);
  const snapshot = created ? newborn(id, record, createdAt) : await readFirstOfKey(store, id);
  return { task: taskView(snapshot, Date.now()), created };
}

export async function readFirstOfKey(store: TaskStore, id: TaskId): Promise<TaskSnapshot> {
  const snapshot = await store.read(id);
  if (snapshot) return snapshot;
  // A key goes in the transaction that removes its task, so a repetition finds neither.
  throw new ServiceError(
    'coordination-unavailable',
    'The first task of this idempotency key was just being removed; nothing was submitted, repeat the request.',
  );
}

/** As they are now, those that are still there. Read a few at a time, when they are asked for: the results of all may be hundreds of megabytes. */
export async function* readAsAskedFor(store: TaskStore, ids: readonly TaskId[]): AsyncGenerator<TaskView, void> {
  for (let first = 0; first < ids.length; first += limits.listReadsAtOnce) {
    const some = ids.slice(first, first + limits.listReadsAtOnce);
    const snapshots = await Promise.all(some.map((id) => store.read(id)));
    const now = Date.now();
    yield* snapshots.filter((snapshot) => snapshot !== null).map((snapshot) => taskView(snapshot, now));
  }
}
