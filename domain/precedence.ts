// What has to be over before a task may run: the tasks that it comes after, and those before it in the line of its exclusive key.
// Kept up with each change of a task; whichever others it concerns are looked at again.
//
// Both only ever wait for older tasks, so somebody can always go on, with one exception: who waits for a retry (`afterFailure`
// wait) waits for a task that is still to come, and whatever comes after that one does, too. Those step aside: they stand in
// no line, or the retry might stand behind them. Pure.

import { Dependencies, type UnmetDependency, type Verdict } from './dependencies.ts';
import { ExclusiveKeys } from './exclusive-keys.ts';
import type { TaskId } from './task.ts';
import { briefOf, type TaskEntry } from './task-entry.ts';
import { UnreadTasks } from './unread-tasks.ts';

export class Precedence {
  readonly #unread: UnreadTasks;
  readonly #dependencies: Dependencies;
  readonly #keys: ExclusiveKeys;

  /** `lookAgain` is told of the others that a change concerns, while it is under way: they are to be looked at after it. */
  constructor(tasks: ReadonlyMap<TaskId, TaskEntry>, lookAgain: (entry: TaskEntry) => void) {
    this.#unread = new UnreadTasks(lookAgain);
    this.#dependencies = new Dependencies(tasks, lookAgain);
    this.#keys = new ExclusiveKeys(lookAgain);
  }

  /** Tasks that are there, and whose data is still being read. */
  get unread(): ReadonlySet<TaskEntry> {
    return this.#unread.all;
  }

  /** To be called after each change of the entry, also when it is forgotten. */
  update(entry: TaskEntry): void {
    this.#unread.update(entry);
    this.#dependencies.update(entry);
    this.#keys.update(entry);
    if (this.#keys.hasTurn(entry) && !this.hasTurn(entry)) this.#unread.waitFor(entry);
    if (this.unread.size === 0) this.#dependencies.forgetUnneeded();
  }

  /** What those that it comes after say of the task; null where it comes after none, or was let go. */
  verdictOf(entry: TaskEntry): Verdict | null {
    return this.#dependencies.verdictOf(entry);
  }

  /** False while a task that was not read yet may be a retry of one that is gone, and that this one waits for. */
  isCertain(entry: TaskEntry): boolean {
    const verdict = this.verdictOf(entry);
    const isGone = verdict?.kind === 'failed' && verdict.outcome === 'gone';
    return !isGone || briefOf(entry)?.afterFailure !== 'wait' || this.unread.size === 0;
  }

  /** It has no exclusive key, or the key is its to take. A task that has not been read yet may have any key. */
  hasTurn(entry: TaskEntry): boolean {
    if ((briefOf(entry)?.exclusiveKey ?? null) === null) return true;
    return this.#keys.hasTurn(entry) && !this.#unread.isAnyAssigned && !this.#unread.isAnyBefore(entry);
  }

  /** It is final, and somebody still waits for it or for what it runs again: it has to be kept. */
  isAwaited(entry: TaskEntry): boolean {
    return this.#dependencies.isAwaited(entry);
  }

  /** Names that somebody waits for or runs again. */
  get names(): number {
    return this.#dependencies.size;
  }

  /** The tasks that do not let it go yet, in the order in which it names them. */
  unmetOf(entry: TaskEntry): UnmetDependency[] {
    return this.#dependencies.unmetOf(entry);
  }

  /** The task that has its exclusive key, else the first in line; null where that is itself, or nobody. */
  keyTakenBy(entry: TaskEntry): TaskId | null {
    return this.#keys.holdUpOf(entry);
  }

  /** How many tasks are before it in the line of its exclusive key; null where it stands in none. */
  keyPositionOf(entry: TaskEntry): number | null {
    return this.#keys.positionOf(entry);
  }
}
