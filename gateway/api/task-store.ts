// What the gateway needs of the place where tasks are kept: the one seam between the API and the ensemble. The
// implementation is coordination's; above this line nothing knows that ZooKeeper exists. All failures are ServiceErrors.

import type { TaskId, TaskRecord } from '../../domain/task.ts';
import type { TaskSnapshot } from '../../domain/task-view.ts';

export interface Submitted {
  readonly id: TaskId;
  /** By the server's clock, epoch milliseconds. */
  readonly createdAt: number;
  /** False when the idempotency key had made this task before. */
  readonly created: boolean;
}

export interface TaskStore {
  /**
   * Commits the task to the ensemble. `fingerprint` is what has to be equal for two requests with one idempotency key
   * to be the same request; null where the record has no key. It is not a function of the record: `delayMs` counts from
   * the time of the request, so that the same request gives another `runAt` each time.
   *
   * Throws 'coordination-unavailable' (not applied, safe to repeat), 'outcome-unknown', 'sequence-exhausted',
   * 'idempotency-key-reused'.
   */
  submit(record: TaskRecord, fingerprint: string | null): Promise<Submitted>;

  /** Null: no such task. Throws 'coordination-unavailable'. */
  read(id: TaskId): Promise<TaskSnapshot | null>;

  /**
   * Resolves, never rejects, when the task may have become final, when something happened that makes another look
   * worthwhile, or when `signal` aborts. Level, not edge: for a task that is final already it resolves at once, so that
   * nothing is missed between a read and this call.
   */
  changed(id: TaskId, signal: AbortSignal): Promise<void>;

  /** True while there is a usable session. */
  isReady(): boolean;
}
