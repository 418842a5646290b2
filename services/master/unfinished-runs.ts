// Which tasks of a schedule are unfinished, as its leader has to know it: what the index has read, and besides what it may not have
// read yet, the tasks that this leader has just made and those that it found when it began to lead.

import type { UnfinishedTask } from '../../domain/schedule-plan.ts';
import type { TaskId } from '../../domain/task.ts';
import type { TaskIndex } from '../../domain/task-index.ts';

export class UnfinishedRuns {
  readonly #index: TaskIndex;
  /** There unread when this term began: any of them may be one of a schedule. */
  readonly #found = new Set<TaskId>();
  /** Made in this term and perhaps not read yet, by schedule. */
  readonly #made = new Map<string, TaskId[]>();

  /** To be made when a term begins. */
  constructor(index: TaskIndex) {
    this.#index = index;
    // A walk over all tasks would hold up the first assignments of the term.
    for (const { id } of index.precedence.unread) this.#found.add(id);
  }

  /** False while there may be tasks that an earlier leader made and that have not been read yet. */
  isComplete(): boolean {
    for (const id of this.#found) {
      const entry = this.#index.tasks.get(id);
      if (entry?.fact === 'unread' && !entry.forbidden) return false;
      this.#found.delete(id);
    }
    return true;
  }

  /** This leader has just made a task of the schedule. */
  made(schedule: string, task: TaskId): void {
    this.#made.set(schedule, [...(this.#made.get(schedule) ?? []), task]);
  }

  of(schedule: string): UnfinishedTask[] {
    const unread = (this.#made.get(schedule) ?? []).filter((id) => this.#isUnread(id));
    if (unread.length > 0) this.#made.set(schedule, unread);
    else this.#made.delete(schedule);
    const known = [...this.#index.schedules.unfinishedOf(schedule)].map(({ id }) => id);
    return [...known, ...unread].map((id) => ({ id, isCancelled: this.#index.tasks.get(id)?.cancel !== null }));
  }

  /** The unfinished task of the schedule that this transaction made, if it is known. */
  madeBy(schedule: string, czxid: bigint | null): TaskId | null {
    const tasks = [...this.#index.schedules.unfinishedOf(schedule)];
    return tasks.find(({ position }) => position?.czxid === czxid)?.id ?? null;
  }

  #isUnread(id: TaskId): boolean {
    const entry = this.#index.tasks.get(id);
    return entry?.fact === 'unread' && entry.status === null;
  }
}
