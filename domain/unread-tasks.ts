// Tasks of which a master knows no more than the name yet, since their data is still being read. One of them may be anything,
// so what depends on that waits for the read; it takes moments, and never longer than the picture takes to be complete.
// Tasks that may not be read are not among them, or they would be waited for without end. Pure.

import type { TaskEntry } from './task-entry.ts';
import { taskNumber } from './task-id.ts';
import { Timeline } from './timeline.ts';

export class UnreadTasks {
  readonly #lookAgain: (entry: TaskEntry) => void;
  readonly #unread = new Set<TaskEntry>();
  readonly #assigned = new Set<TaskEntry>();
  /** By number in place of a time. */
  readonly #byNumber = new Timeline<TaskEntry>((entry) => this.#unread.has(entry));
  /** What waits for those before it, in the same way: each is looked at again once, however many are read. */
  readonly #waiting = new Set<TaskEntry>();
  readonly #waitingByNumber = new Timeline<TaskEntry>((entry) => this.#waiting.has(entry));

  constructor(lookAgain: (entry: TaskEntry) => void) {
    this.#lookAgain = lookAgain;
  }

  get all(): ReadonlySet<TaskEntry> {
    return this.#unread;
  }

  /** One of them is assigned to a worker. */
  get isAnyAssigned(): boolean {
    return this.#assigned.size > 0;
  }

  /** One of them may have been created before the task. */
  isAnyBefore({ id }: TaskEntry): boolean {
    const lowest = this.#byNumber.nextAt;
    return lowest !== null && lowest < taskNumber(id);
  }

  /** The entry is looked at again when none of them is assigned and all before it have been read. */
  waitFor(entry: TaskEntry): void {
    if (this.#waiting.has(entry)) return;
    this.#waiting.add(entry);
    this.#waitingByNumber.set(entry, taskNumber(entry.id), this.#waiting.size);
  }

  /** To be called after each change of the entry. */
  update(entry: TaskEntry): void {
    const isUnread = entry.fact === 'unread' && !entry.forbidden;
    const isAssigned = isUnread && entry.assignments.size > 0;
    if (isAssigned) this.#assigned.add(entry);
    if (isUnread && !this.#unread.has(entry)) {
      this.#unread.add(entry);
      this.#byNumber.set(entry, taskNumber(entry.id), this.#unread.size);
    }
    const isRead = !isUnread && this.#unread.delete(entry);
    const isFree = !isAssigned && this.#assigned.delete(entry);
    if ((isRead || isFree) && !this.isAnyAssigned) this.#wake();
  }

  /** Those that have none of them before. */
  #wake(): void {
    const lowest = this.#byNumber.nextAt ?? Infinity;
    for (let due = this.#waitingByNumber.takeDue(lowest); due; due = this.#waitingByNumber.takeDue(lowest)) {
      this.#waiting.delete(due.thing);
      this.#lookAgain(due.thing);
    }
  }
}
