// The tasks of each schedule that are not final: what its next tick has to know. Pure.

import { briefOf, type TaskEntry } from './task-entry.ts';

const none: ReadonlySet<TaskEntry> = new Set();

export class ScheduleTasks {
  readonly #unfinished = new Map<string, Set<TaskEntry>>();

  /** Of those that have been read. */
  unfinishedOf(schedule: string): ReadonlySet<TaskEntry> {
    return this.#unfinished.get(schedule) ?? none;
  }

  /** To be called after each change of the entry. */
  update(entry: TaskEntry): void {
    const schedule = entry.status === null ? (briefOf(entry)?.schedule?.name ?? null) : null;
    if (schedule === entry.unfinishedOf) return;
    this.forget(entry);
    if (schedule === null) return;
    entry.unfinishedOf = schedule;
    const tasks = this.#unfinished.get(schedule);
    if (tasks) tasks.add(entry);
    else this.#unfinished.set(schedule, new Set([entry]));
  }

  forget(entry: TaskEntry): void {
    if (entry.unfinishedOf === null) return;
    const tasks = this.#unfinished.get(entry.unfinishedOf);
    tasks?.delete(entry);
    if (tasks?.size === 0) this.#unfinished.delete(entry.unfinishedOf);
    entry.unfinishedOf = null;
  }
}
