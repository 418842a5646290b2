// Our own submits that the leading master's count of a queue does not have yet: it counts once a second, and says below which number it has
// counted every task. While none leads nothing is counted, and everything stays here, so that `maxQueued` holds all the same. A task
// that was given to a worker does not wait any more and is taken out at once, so that a queue which is worked off as
// fast as it fills never looks full. Pure.

import type { TaskId } from '../../domain/task.ts';
import { taskNumber } from '../../domain/task-id.ts';

/** A submit is not taken to be uncounted for more counts than this: `/tasks` may have been made anew, with lower numbers. */
const countsMax = 10;

/** Tasks that were given to a worker before we heard that they were made; more than these are not kept in mind. */
const earlyMax = 10_000;

/** Tasks of one queue that were submitted together. */
interface Submit {
  readonly queue: string;
  waiting: number;
  /** Their highest number; null until the ensemble has them. */
  last: number | null;
  /** Since then. */
  counts: number;
  readonly tasks: TaskId[];
}

export class RecentSubmits {
  readonly #submits = new Set<Submit>();
  readonly #waiting = new Map<string, number>();
  readonly #byTask = new Map<TaskId, Submit>();
  /** Given to a worker while something was under way that they may belong to. */
  readonly #early = new Set<TaskId>();
  #underWay = 0;
  /** The last count has every task with a lower number; no count may come after it, where nothing happens any more. */
  #next = 0;

  /** None is uncounted. */
  get isEmpty(): boolean {
    return this.#submits.size === 0;
  }

  /** Tasks that wait, as far as we know. */
  count(queue: string): number {
    return this.#waiting.get(queue) ?? 0;
  }

  /** Before the commit, so that submits at the same time know of each other. */
  add(queue: string, count: number): Submit {
    const submit: Submit = { queue, waiting: count, last: null, counts: 0, tasks: [] };
    this.#underWay += 1;
    this.#submits.add(submit);
    this.#waiting.set(queue, (this.#waiting.get(queue) ?? 0) + count);
    return submit;
  }

  made(submit: Submit, tasks: readonly TaskId[]): void {
    if (!this.#submits.has(submit)) return;
    const last = Math.max(...tasks.map(taskNumber));
    if (last < this.#next) return this.remove(submit); // the answer to us came late, and it was counted meanwhile
    submit.last = last;
    submit.tasks.push(...tasks);
    for (const task of tasks) this.#byTask.set(task, submit);
    for (const task of tasks) if (this.#early.delete(task)) this.started(task);
    this.#settled();
  }

  remove(submit: Submit): void {
    if (!this.#submits.delete(submit)) return;
    if (submit.last === null) this.#settled();
    for (const task of submit.tasks) this.#byTask.delete(task);
    this.#subtract(submit.queue, submit.waiting);
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

  /** A count has arrived that has every task with a number below `next`. */
  counted(next: number): void {
    if (Number.isFinite(next)) this.#next = next;
    for (const submit of this.#submits) {
      if (submit.last === null) continue;
      submit.counts += 1;
      if (submit.last < next || submit.counts > countsMax) this.remove(submit);
    }
  }

  #subtract(queue: string, count: number): void {
    const rest = (this.#waiting.get(queue) ?? 0) - count;
    if (rest > 0) this.#waiting.set(queue, rest);
    else this.#waiting.delete(queue);
  }
}

export type { Submit };
