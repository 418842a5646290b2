// What the gateway needs of the place where tasks are kept: the one seam between the API and the ensemble. The
// implementation is coordination's; above this line nothing knows that ZooKeeper exists. All failures are ServiceErrors:
// 'coordination-unavailable' (not applied, safe to repeat) and, from what changes something, 'outcome-unknown' can come
// from every method, beside those that it names.

import type { QueueSettings } from '../../domain/queue-settings.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import type { TaskSnapshot } from '../../domain/task-view.ts';

export interface Submitted {
  readonly id: TaskId;
  /** By the server's clock, epoch milliseconds. */
  readonly createdAt: number;
  /** False when the idempotency key had made this task before. */
  readonly created: boolean;
}

export interface SubmittedBatch {
  /** In the order of the records; of a repeated batch those that are still kept. */
  readonly ids: readonly TaskId[];
  readonly createdAt: number;
  /** False when the idempotency key had made these tasks before. */
  readonly created: boolean;
}

export interface TaskStore {
  /**
   * Commits the task to the ensemble. `fingerprint` is what has to be equal for two requests with one idempotency key
   * to be the same request; null where the record has no key. It is not a function of the record: `delayMs` counts from
   * the time of the request, so that the same request gives another `runAt` each time.
   *
   * Throws 'queue-full', 'sequence-exhausted', 'idempotency-key-reused'.
   */
  submit(record: TaskRecord, fingerprint: string | null): Promise<Submitted>;

  /**
   * Commits all of them in one transaction, or none. With an idempotency key each record has it, and its place in the batch.
   * Throws as {@link submit} does, and 'batch-too-large'.
   */
  submitBatch(records: readonly TaskRecord[], fingerprint: string | null): Promise<SubmittedBatch>;

  /** The task that the key made; null where it made none that is kept. Throws 'idempotency-key-reused'. */
  findByKey(idempotencyKey: string, fingerprint: string): Promise<Submitted | null>;

  /** Null: no such task. What it shows of a task may be old by the lag of a server. */
  read(id: TaskId): Promise<TaskSnapshot | null>;

  /** As {@link read}, for who waits for the end: of a task that has not ended it does not say whether it runs, which costs more to know. */
  readEnd(id: TaskId): Promise<TaskSnapshot | null>;

  /** As it was at the call, or later: for a refusal that an old look could be wrong about. */
  readFresh(id: TaskId): Promise<TaskSnapshot | null>;

  /**
   * Resolves, never rejects, when the task may have become final, when something happened that makes another look
   * worthwhile, or when `signal` aborts. Level, not edge: for a task that is final already it resolves at once, so that
   * nothing is missed between a read and this call.
   */
  changed(id: TaskId, signal: AbortSignal): Promise<void>;

  /**
   * Calls `listener` whenever the task may have changed in any way (run, progress, attempt, end, removal), until the returned
   * function is called; also when a session is there again. Not for a change before the call: look once after it.
   */
  watch(id: TaskId, listener: () => void): () => void;

  /** Asks for the task to be cancelled; asked already is as good. False: no such task. */
  cancel(id: TaskId, reason: string): Promise<boolean>;

  /** Removes a final task with everything that belongs to it. */
  remove(id: TaskId): Promise<'removed' | 'not final' | 'no such task'>;

  /** All settings of the queue, also of one that has none: then they are the defaults. Throws 'queue-unreadable'. */
  readQueue(name: string): Promise<QueueSettings>;

  /** Changes what `change` names and keeps the rest; answers the settings as they are then. Throws 'too-many-queues'. */
  updateQueue(name: string, change: Partial<QueueSettings>): Promise<QueueSettings>;

  /** True while there is a usable session. */
  isReady(): boolean;
}
