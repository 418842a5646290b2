// Our own submits that the leading master's count of a queue does not have yet, or may not: it counts once a second. A task
// that was given to a worker does not wait any more and is taken out at once, so that a queue which is worked off as
// fast as it fills never looks full. Times are monotonic ms. Pure.

import type { TaskId } from '../../domain/task.ts';

/** A count that has not changed is not written again, so a submit is not taken to be uncounted for longer than this. */
const uncountedMsMax = 2000;
/** What was committed less than this before a count was written may be missing in it. */
const countLagMs = 250;

/** Tasks that were given to a worker before we heard that they were made; more than these are not kept in mind. */
const earlyMax = 10_000;

/** Tasks of one queue that were submitted together. */
interface Submit {
  readonly queue: string;
  waiting: number;
  /** When the ensemble had it; null before. */
  madeAt: number | null;
  readonly tasks: TaskId[];
}

export class RecentSubmits {
  /** Of each queue, in the order in which the ensemble had them; those that it has not yet stand anywhere between. */
  readonly #submits = new Map<string, Set<Submit>>();
  readonly #waiting = new Map<string, number>();
  readonly #byTask = new Map<TaskId, Submit>();
  /** Given to a worker while something was under way that they may belong to. */
  readonly #early = new Set<TaskId>();
  #underWay = 0;

  /** Tasks that wait, as far as we know. */
  count(queue: string, now: number): number {
    this.#drop(queue, now - uncountedMsMax);
    return this.#waiting.get(queue) ?? 0;
  }

  /** Before the commit, so that submits at the same time know of each other. */
  add(queue: string, count: number): Submit {
    const submit: Submit = { queue, waiting: count, madeAt: null, tasks: [] };
    this.#underWay += 1;
    const submits = this.#submits.get(queue) ?? new Set();
    this.#submits.set(queue, submits.add(submit));
    this.#waiting.set(queue, (this.#waiting.get(queue) ?? 0) + count);
    return submit;
  }

  made(submit: Submit, tasks: readonly TaskId[], now: number): void {
    const submits = this.#submits.get(submit.queue);
    if (!submits?.delete(submit)) return;
    submits.add(submit);
    submit.madeAt = now;
    submit.tasks.push(...tasks);
    for (const task of tasks) this.#byTask.set(task, submit);
    for (const task of tasks) if (this.#early.delete(task)) this.started(task);
    this.#settled();
  }

  remove(submit: Submit): void {
    const submits = this.#submits.get(submit.queue);
    if (!submits?.delete(submit)) return;
    if (submit.madeAt === null) this.#settled();
    for (const task of submit.tasks) this.#byTask.delete(task);
    this.#subtract(submit.queue, submit.waiting);
    if (submits.size === 0) this.#submits.delete(submit.queue);
  }

  /** It was given to a worker. */
  started(task: TaskId): void {
    const submit = this.#byTask.get(task);
    if (!submit) return this.#startedEarly(task);
    this.#byTask.delete(task);
    submit.waiting -= 1;
    this.#subtract(submit.queue, 1);
    if (submit.waiting === 0) this.remove(submit);
  }

  #startedEarly(task: TaskId): void {
    if (this.#underWay > 0 && this.#early.size < earlyMax) this.#early.add(task);
  }

  #settled(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#early.clear();
  }

  /** A count of the master has arrived. */
  counted(now: number): void {
    for (const queue of [...this.#submits.keys()]) this.#drop(queue, now - countLagMs);
  }

  /** Forgets what was made before; what is still under way is not. */
  #drop(queue: string, before: number): void {
    for (const submit of this.#submits.get(queue) ?? []) {
      if (submit.madeAt === null) continue;
      if (submit.madeAt >= before) return;
      this.remove(submit);
    }
  }

  #subtract(queue: string, count: number): void {
    const rest = (this.#waiting.get(queue) ?? 0) - count;
    if (rest > 0) this.#waiting.set(queue, rest);
    else this.#waiting.delete(queue);
  }
}

export type { Submit };
