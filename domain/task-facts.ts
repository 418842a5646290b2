// What becomes known of a task, taken down in its entry: its data, its status, its attempts, and that all of it is gone. Facts
// arrive in any order and any number of times; what follows from them is for the index to work out. Changes what it is given.

import type { CreationOrder } from './creation-order.ts';
import type { KeyedBatches } from './keyed-batches.ts';
import {
  type AttemptBrief,
  briefOf,
  noValues,
  type StatusBrief,
  type TaskEntry,
  type TaskFact,
  type Unread,
  withoutKey,
  withValue,
} from './task-entry.ts';

/** A status is removed a moment before its task, in the same transaction: what is seen between the two is no task that waits. */
const goneStatusMs = 20;

/** Where a task stands once its data has been read. */
interface ReadTasks {
  readonly order: CreationOrder<TaskEntry>;
  readonly batches: KeyedBatches;
}

export function noteTask(entry: TaskEntry, fact: TaskFact, read: ReadTasks): void {
  if (entry.position?.czxid !== fact.czxid) leave(entry, read);
  const isNew = entry.position === null;
  read.batches.follow(entry, () => {
    entry.fact = fact;
    entry.position = fact;
  });
  entry.forbidden = false;
  entry.queue = briefOf(entry)?.queue ?? null;
  entry.exclusiveKey = briefOf(entry)?.exclusiveKey ?? null;
  if (isNew) read.order.add(entry);
}

/** With all that was below it. Its assignments are known of by themselves. */
export function noteRemoved(entry: TaskEntry, read: ReadTasks): void {
  leave(entry, read);
  entry.forbidden = false;
  entry.partUnreadable = null;
  entry.fact = null;
  entry.status = null;
  entry.cancel = null;
  entry.unblockedAt = null;
  entry.attempts = noValues();
}

/** It is gone, or it was another task of the same name. */
function leave(entry: TaskEntry, { order, batches }: ReadTasks): void {
  if (!entry.position) return;
  order.delete(entry);
  batches.follow(entry, () => {
    entry.position = null;
  });
  entry.announced = null;
  entry.handBacks = 0;
  entry.pausedUntil = 0;
}

export function noteStatus(
  entry: TaskEntry,
  status: StatusBrief | Unread | null,
  createdAt: number,
  uptime: number,
): void {
  if (status !== null) entry.goneUntil = 0;
  else if (entry.status !== null) entry.goneUntil = uptime + goneStatusMs;
  entry.status = status;
  entry.statusCreatedAt = createdAt;
}

export function noteAttempt(entry: TaskEntry, attempt: number, record: AttemptBrief | Unread | null): void {
  entry.attempts = record === null ? withoutKey(entry.attempts, attempt) : withValue(entry.attempts, attempt, record);
}

/** Nothing of it is there. */
export function isUnknown({ fact, status, assignments, cancel, unblockedAt, attempts }: TaskEntry): boolean {
  const isEmpty = fact === null && status === null && assignments.size === 0;
  return isEmpty && cancel === null && unblockedAt === null && attempts.size === 0;
}
