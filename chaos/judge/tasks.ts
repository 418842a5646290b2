// The tasks that the final tree has, each with all that was recorded below it. Transactions tell the order of everything there. Pure.

import { lookAt } from '../../audit/suspicion.ts';
import { lookAtTask, type TaskLook } from '../../audit/task-look.ts';
import type { TreeSnapshot } from '../../audit/tree-snapshot.ts';
import { tasksIn } from '../../audit/tree-survey.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { AttemptRecord, StatusRecord, TaskId, TaskRecord } from '../../domain/task.ts';
import { dependenciesOf, taskNumber } from '../../domain/task-id.ts';

/** A record and the transaction that made it. */
export interface Kept<T> {
  readonly record: T;
  readonly czxid: bigint;
}

export interface KeptTask {
  readonly id: TaskId;
  readonly number: number;
  readonly czxid: bigint;
  /** Epoch ms, by the clock of the ensemble. */
  readonly createdAt: number;
  /** How often its data was set: by force, each time. */
  readonly version: number;
  /** Null: it is no task of ours. */
  readonly record: TaskRecord | null;
  /** Null: it has not ended, or what is there is no status of ours (`hasOddStatus`). */
  readonly status: Kept<StatusRecord> | null;
  readonly hasOddStatus: boolean;
  /** By their numbers. */
  readonly attempts: ReadonlyMap<number, Kept<AttemptRecord>>;
  /** The transactions that made them; null: there is none. */
  readonly cancelledBy: bigint | null;
  readonly unblockedBy: bigint | null;
  /** By id. */
  readonly after: readonly TaskId[];
}

export function tasksOf(tree: TreeSnapshot): Map<string, KeptTask> {
  const look = lookAt(tree);
  const tasks = tasksIn(tree).map((id) => lookAtTask(look, id));
  return new Map(tasks.filter((task) => task !== null).map((task) => [task.id, kept(task)]));
}

function kept({ id, node, record, status, attempts, cancel, unblocked }: TaskLook): KeptTask {
  const { czxid, ctime, version } = node.stat;
  return {
    ...{ id, number: taskNumber(id), czxid, createdAt: ctime, version, record },
    status: status?.isOurs ? { record: status.record, czxid: status.node.stat.czxid } : null,
    hasOddStatus: status !== null && !status.isOurs,
    attempts: new Map(
      attempts.map(({ record: each, node: { stat } }) => [each.attempt, { record: each, czxid: stat.czxid }]),
    ),
    cancelledBy: cancel?.stat.czxid ?? null,
    unblockedBy: unblocked?.stat.czxid ?? null,
    after: record ? dependenciesOf(id, record) : [],
  };
}

/** In the order of creation: by transaction, then by number within it. */
export function byCreation(a: KeptTask, b: KeptTask): number {
  if (a.czxid !== b.czxid) return a.czxid < b.czxid ? -1 : 1;
  return a.number - b.number;
}

const dataShown = 400;

/** A znode as a line of evidence. */
export function znodeLine(tree: TreeSnapshot, path: string): string {
  const node = tree.get(path);
  if (!node) return `${path} is not in the tree`;
  return `${path} czxid ${node.stat.czxid} version ${node.stat.version} ${node.data.toString('utf8').slice(0, dataShown)}`;
}

/** A task with all that is below it. */
export function taskLines(tree: TreeSnapshot, id: string): string[] {
  const path = paths.task(id as TaskId);
  const below = tree.get(path)?.children ?? [];
  return [path, ...below.map((name) => `${path}/${name}`)].map((each) => znodeLine(tree, each));
}
