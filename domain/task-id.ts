// The id of a task: the name that the ensemble gave its znode, a prefix and a number. Opaque to clients; within one
// transaction the numbers follow each other, which is how the members of a batch know each other's names. Pure.

import type { TaskId, TaskRecord } from './task.ts';

/** The ensemble numbers with ten digits at least, a person may use fewer; the upper bound only keeps nonsense short. */
const taskName = /^task-\d{1,32}$/;

/** The id that this name is, or null: other names under `/tasks` are left alone. */
export function parseTaskId(name: string): TaskId | null {
  return taskName.test(name) ? (name as TaskId) : null;
}

/** The sequence number in a task's name: orders the tasks of one transaction and nothing else. */
export function taskNumber(task: TaskId): number {
  return Number(task.slice('task-'.length));
}

/** The name that the ensemble makes of a sequence number. */
export function taskIdOf(number: number): TaskId {
  return `task-${String(number).padStart(10, '0')}` as TaskId;
}

const none: readonly TaskId[] = Object.freeze([]);

/** The tasks that the task `id` comes after, by their names: those of its own batch are counted from its own. */
export function dependenciesOf(id: TaskId, { after, batch }: Pick<TaskRecord, 'after' | 'batch'>): readonly TaskId[] {
  if (after.length === 0) return none;
  const first = taskNumber(id) - (batch?.index ?? 0);
  return after.map((dependency) => (typeof dependency === 'number' ? taskIdOf(first + dependency) : dependency));
}
