// The tasks that the final tree has, each with all that was recorded below it. Transactions tell the order of everything there. Pure.

import type { TreeSnapshot } from '../../audit/tree-snapshot.ts';
import { parseObject } from '../../coordination/record-json.ts';
import { decodeTask } from '../../coordination/task-record.ts';
import { parseAttemptName, parseTaskPath, paths } from '../../coordination/znode-paths.ts';
import { decodeAttempt, decodeStatus } from '../../coordination/znode-records.ts';
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
  const tasks = new Map<string, KeptTask>();
  for (const path of tree.keys()) {
    const parsed = parseTaskPath(path);
    if (parsed?.kind === 'task') tasks.set(parsed.task, taskOf(tree, parsed.task));
  }
  return tasks;
}

function taskOf(tree: TreeSnapshot, id: TaskId): KeptTask {
  const node = tree.get(paths.task(id));
  if (!node) throw new Error(`${id} is not in the tree`);
  const { data, stat, children } = node;
  const reading = decodeTask(data, stat.ctime);
  const record = reading.kind === 'task' ? reading.record : null;
  const status = statusOf(tree, id);
  return {
    ...{ id, number: taskNumber(id), czxid: stat.czxid, createdAt: stat.ctime, version: stat.version, record, status },
    hasOddStatus: tree.has(paths.status(id)) && status === null,
    attempts: attemptsOf(tree, id, children),
    cancelledBy: tree.get(paths.cancel(id))?.stat.czxid ?? null,
    unblockedBy: tree.get(paths.unblocked(id))?.stat.czxid ?? null,
    after: record ? dependenciesOf(id, record) : [],
  };
}

/** Only one in our own form: nobody writes one by hand in such a run. */
function statusOf(tree: TreeSnapshot, id: TaskId): Kept<StatusRecord> | null {
  const node = tree.get(paths.status(id));
  if (!node) return null;
  const record = decodeStatus(node.data, node.stat.ctime);
  const object = parseObject(node.data.toString('utf8'));
  return object?.['v'] === 1 && object['state'] === record.state ? { record, czxid: node.stat.czxid } : null;
}

function attemptsOf(tree: TreeSnapshot, id: TaskId, children: readonly string[]): KeptTask['attempts'] {
  const attempts = new Map<number, Kept<AttemptRecord>>();
  for (const name of children) {
    const number = parseAttemptName(name);
    const node = number === null ? undefined : tree.get(paths.attempt(id, number));
    if (number === null || !node) continue;
    attempts.set(number, { record: decodeAttempt(node.data, number, node.stat.ctime), czxid: node.stat.czxid });
  }
  return attempts;
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
