// The tasks outside of a submit that its tasks are to come after: that each of them exists is a condition of the transaction
// that makes the tasks, so that nothing ever waits for what never was. What is removed later is the master's matter.

import type { TaskId, TaskRecord } from '../domain/task.ts';
import { paths } from './znode-paths.ts';
import type { Operation } from './zookeeper-requests.ts';

/** A task that others are to come after, and the first place that says so. */
export interface OutsideDependency {
  readonly task: TaskId;
  /** Of the record that names it, among those submitted together; null where it is submitted alone. */
  readonly batchIndex: number | null;
  /** In its `after`. */
  readonly place: number;
  /** The task that the record runs again: its `after` is that one's, and nobody has just said it. */
  readonly retryOf: string | null;
}

/** What is submitted is to come after a task that is not there; nothing was made. */
export class DependencyNotFound extends Error {
  override readonly name = 'DependencyNotFound';

  constructor(readonly dependency: OutsideDependency) {
    super(`there is no task ${dependency.task}`);
  }
}

/** Each task once. Those of the same batch are not among them: they exist with it, or it does not either. */
export function outsideDependencies(records: readonly TaskRecord[]): readonly OutsideDependency[] {
  const found = new Map<TaskId, OutsideDependency>();
  for (const { after, batch, retryOf } of records) {
    for (const [place, task] of after.entries()) {
      if (typeof task === 'number' || found.has(task)) continue;
      found.set(task, { task, batchIndex: batch?.index ?? null, place, retryOf });
    }
  }
  return [...found.values()];
}

/** Refused with 'no_node' where it does not exist, whatever our own server knows: the leader decides. */
export function existenceOf({ task }: OutsideDependency): Operation {
  return { kind: 'check', path: paths.task(task), version: null };
}
