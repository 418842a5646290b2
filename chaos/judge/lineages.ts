// Which tasks of the final tree run which again, and who waits for such a retry. Pure.

import { groupBy } from './group-by.ts';
import type { KeptTask } from './tasks.ts';

export class Lineages {
  readonly #tasks: ReadonlyMap<string, KeptTask>;
  readonly #retries: ReadonlyMap<string, KeptTask[]>;
  /** Answers of {@link mayStepAside}, so that a long chain is walked once. */
  readonly #stepsAside = new Map<string, boolean>();

  constructor(tasks: ReadonlyMap<string, KeptTask>) {
    this.#tasks = tasks;
    this.#retries = groupBy(tasks.values(), ({ record }) => record?.retryOf ?? null);
  }

  /** Those that run it again themselves. */
  retriesOf(id: string): readonly KeptTask[] {
    return this.#retries.get(id) ?? [];
  }

  /** All that run it again, however often. */
  lineageOf(id: string): KeptTask[] {
    const lineage = [...this.retriesOf(id)];
    for (const task of lineage) lineage.push(...this.retriesOf(task.id));
    return lineage;
  }

  hasSucceededRetry(id: string): boolean {
    return this.lineageOf(id).some(({ status }) => status?.record.state === 'succeeded');
  }

  /**
   * It may have waited, itself or through what it comes after, for a retry, and so have stood in no line meanwhile: a task that
   * waits for one, or for a task that does.
   */
  mayStepAside(task: KeptTask): boolean {
    const known = this.#stepsAside.get(task.id);
    if (known !== undefined) return known;
    this.#stepsAside.set(task.id, false); // one that comes after itself waits for nothing that is to come
    const { record, after } = task;
    const before = after.map((id) => this.#tasks.get(id));
    const may =
      (after.length > 0 && record?.afterFailure === 'wait') ||
      before.some((dependency) => dependency !== undefined && this.mayStepAside(dependency)) ||
      before.includes(undefined);
    this.#stepsAside.set(task.id, may);
    return may;
  }

  /** It is unfinished, and rightly so: what it comes after has not succeeded, and nobody has run that again with success. */
  waitsForRetry(task: KeptTask): boolean {
    const { record, status, unblockedBy, after } = task;
    if (status !== null || unblockedBy !== null) return false;
    return after.some((id) => {
      const dependency = this.#tasks.get(id);
      if (dependency?.status?.record.state === 'succeeded') return false;
      if (dependency && dependency.status === null) return this.waitsForRetry(dependency);
      return record?.afterFailure === 'wait' && !this.hasSucceededRetry(id);
    });
  }
}
