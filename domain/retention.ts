// Which finished tasks go, and when: each when its retention is over, and the oldest ones sooner where too many are
// kept. Before both comes a minimum, so that whoever waits for a task or repeats its submit still finds it. Pure.

import { Heap } from './heap.ts';
import type { TaskEntry } from './task-entry.ts';

export interface RetentionPolicy {
  /** More than these are not kept, the minimum apart. */
  readonly finishedTasksMax: number;
  /** Every finished task is kept for so long; one with an idempotency key for ten times as long. */
  readonly minRetentionMs: number;
}

const keyedRetentionFactor = 10;

interface Finished {
  readonly entry: TaskEntry;
  /** Not before then, whatever else says so; epoch ms. */
  readonly removableAt: number;
  readonly expiresAt: number;
}

export class RetentionQueue {
  readonly #policy: RetentionPolicy;
  readonly #byExpiry = new Heap<Finished>((a, b) => a.expiresAt < b.expiresAt);
  readonly #byAge = new Heap<Finished>((a, b) => a.removableAt < b.removableAt);

  constructor(policy: RetentionPolicy) {
    this.#policy = policy;
  }

  add(entry: TaskEntry): void {
    const { fact, status } = entry;
    if (!status || status === 'unread') return;
    const brief = fact && fact !== 'unread' && fact.content.kind === 'task' ? fact.content.brief : null;
    const minimum = this.#policy.minRetentionMs * (brief?.idempotencyKey ? keyedRetentionFactor : 1);
    const removableAt = status.finishedAt + minimum;
    const finished = { entry, removableAt, expiresAt: status.finishedAt + Math.max(minimum, brief?.retentionMs ?? 0) };
    this.#byExpiry.push(finished);
    this.#byAge.push(finished);
  }

  /** A task that was taken and could not be removed is given again at `at`. */
  retry(entry: TaskEntry, at: number): void {
    this.#byExpiry.push({ entry, removableAt: at, expiresAt: at });
  }

  /** At most `max` tasks that are to go at `now`; each is given once. `kept` are those that are finished and kept. */
  take(now: number, kept: ReadonlySet<TaskEntry>, max: number): TaskEntry[] {
    const taken = new Set<TaskEntry>();
    this.#takeFrom(this.#byExpiry, kept, taken, max, ({ expiresAt }) => expiresAt <= now);
    const excess = () => kept.size - taken.size > this.#policy.finishedTasksMax;
    this.#takeFrom(this.#byAge, kept, taken, max, ({ removableAt }) => excess() && removableAt <= now);
    return [...taken];
  }

  /** When something may become due if nothing changes, epoch ms; null while nothing is finished. */
  nextDueAt(kept: ReadonlySet<TaskEntry>): number | null {
    this.#dropGone(this.#byExpiry, kept);
    this.#dropGone(this.#byAge, kept);
    const expiry = this.#byExpiry.peek()?.expiresAt ?? null;
    const oldest = this.#byAge.peek();
    if (!oldest || kept.size <= this.#policy.finishedTasksMax) return expiry;
    return Math.min(expiry ?? oldest.removableAt, oldest.removableAt);
  }

  #takeFrom(
    heap: Heap<Finished>,
    kept: ReadonlySet<TaskEntry>,
    taken: Set<TaskEntry>,
    max: number,
    isDue: (finished: Finished) => boolean,
  ): void {
    for (let top = heap.peek(); top && taken.size < max; top = heap.peek()) {
      const isGone = !kept.has(top.entry);
      if (!isGone && !isDue(top)) return;
      heap.pop();
      if (!isGone) taken.add(top.entry);
    }
  }

  #dropGone(heap: Heap<Finished>, kept: ReadonlySet<TaskEntry>): void {
    for (let top = heap.peek(); top && !kept.has(top.entry); top = heap.peek()) heap.pop();
  }
}
