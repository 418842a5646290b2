// What belongs together in a copy of a tree: which rules have to look at which znodes. In a copy that was read bit by bit not all
// of it need have been so at one moment; the rules ask for themselves. Pure.

import { parseAssignPath, paths } from '../coordination/znode-paths.ts';
import type { TaskId, WorkerId } from '../domain/task.ts';
import { parseTaskId, taskNumber } from '../domain/task-id.ts';
import type { KeyGroup } from './rules/exclusive-keys.ts';
import type { TaskLook } from './task-look.ts';
import type { TreeSnapshot } from './tree-snapshot.ts';

/** Tasks that stand before one in the line of its key, and are looked at for that. */
const lineMax = 8;

/** Who may have which task. */
export function holdersIn(tree: TreeSnapshot): Map<TaskId, WorkerId[]> {
  const holders = new Map<TaskId, WorkerId[]>();
  for (const worker of tree.get(paths.assign)?.children ?? []) {
    for (const name of tree.get(paths.assignments(worker as WorkerId))?.children ?? []) {
      const task = parseAssignPath(`${paths.assign}/${worker}/${name}`)?.task;
      if (task) holders.set(task, [...(holders.get(task) ?? []), worker as WorkerId]);
    }
  }
  return holders;
}

export function tasksIn(tree: TreeSnapshot): TaskId[] {
  return (tree.get(paths.tasks)?.children ?? []).map(parseTaskId).filter((id) => id !== null);
}

/** Registered ones, and those that have a place where they are given tasks. */
export function workersIn(tree: TreeSnapshot): Set<WorkerId> {
  const names = [paths.workers, paths.assign].flatMap((path) => tree.get(path)?.children ?? []);
  return new Set(names as WorkerId[]);
}

interface Member {
  readonly id: TaskId;
  readonly czxid: bigint;
  readonly workers: readonly WorkerId[];
}

/** What is known of the tasks when each of them has been looked at once. */
export class TaskGroups {
  /** By submit id. */
  readonly submits = new Map<string, TaskId[]>();
  readonly #keys = new Map<string, Member[]>();
  readonly #queues = new Map<string, (readonly [TaskId, WorkerId])[]>();

  add({ id, node, record, status }: TaskLook, workers: readonly WorkerId[]): void {
    if (!record) return;
    if (record.submitId !== null) append(this.submits, record.submitId, id);
    for (const worker of workers) append(this.#queues, record.queue, [id, worker] as const);
    if (record.exclusiveKey !== null && (!status || workers.length > 0)) {
      append(this.#keys, record.exclusiveKey, { id, czxid: node.stat.czxid, workers });
    }
  }

  /** Assigned ones. */
  runsOf(queue: string): readonly (readonly [TaskId, WorkerId])[] {
    return this.#queues.get(queue) ?? [];
  }

  /** Only keys of which one is assigned, and of the line the first ones. */
  *keyGroups(): Generator<KeyGroup> {
    for (const [key, members] of this.#keys) {
      const assigned = members.filter(({ workers }) => workers.length > 0);
      if (assigned.length === 0 || members.length === 1) continue;
      const line = members.filter(({ workers }) => workers.length === 0).sort(byCreation);
      yield { key, tasks: [...assigned, ...line.slice(0, lineMax)] };
    }
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

function byCreation(a: Member, b: Member): number {
  if (a.czxid !== b.czxid) return a.czxid < b.czxid ? -1 : 1;
  return taskNumber(a.id) - taskNumber(b.id);
}
