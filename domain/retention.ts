// Which finished tasks go, and when: each when its retention is over, and the oldest ones sooner where too many are
// kept. Before both comes a minimum, so that whoever waits for a task or repeats its submit still finds it. A task that other
// tasks still wait for is not among those that are kept for this: it joins them when they have let it go. Pure.

import { Heap } from './heap.ts';
import { limits } from './limits.ts';
import type { Retained, TaskEntry } from './task-entry.ts';

export interface RetentionPolicy {
  /** More than these are not kept, the minimum apart. */
  readonly finishedTasksMax: number;
  /** Every finished task is kept for so long; one with an idempotency key for ten times as long. */
  readonly minRetentionMs: number;
}

const keyedRetentionFactor = 10;
/** Items of tasks that are gone or come again, beside one for each that is kept, that are not worth tidying up for: each holds on to its task. */
const spareItems = 1024;
const spareShare = 0.25;

export class RetentionQueue {
  readonly #policy: RetentionPolicy;
  readonly #byExpiry = new Heap<Retained>((a, b) => a.expiresAt < b.expiresAt);
  readonly #byAge = new Heap<Retained>((a, b) => a.removableAt < b.removableAt);

  constructor(policy: RetentionPolicy) {
    this.#policy = policy;
  }

  /** In both lines, those of tasks that are gone included. */
  get size(): number {
    return this.#byExpiry.size + this.#byAge.size;
  }

  add(entry: TaskEntry): void {
    const { fact, status } = entry;
    if (!status || status === 'unread' || !fact || fact === 'unread') return;
    if (fact.content.kind === 'newer') return; // left to a newer version of us, with its retention and its key
    const brief = fact.content.kind === 'task' ? fact.content.brief : null;
    const minimum = this.#policy.minRetentionMs * (brief?.idempotencyKey ? keyedRetentionFactor : 1);
    // A worker's clock may be slow, and a person may write any time; the ensemble knows when the status appeared.
    const finishedAt = Math.max(status.finishedAt, entry.statusCreatedAt);
    const removableAt = finishedAt + minimum;
    const retentionMs = brief?.retentionMs ?? limits.retentionMsDefault;
    const finished = { entry, removableAt, expiresAt: finishedAt + Math.max(minimum, retentionMs) };
    entry.retained = finished;
    this.#byExpiry.push(finished);
    this.#byAge.push(finished);
  }

  /** A task that was taken and could not be removed is given again at `at`. */
  retry(entry: TaskEntry, at: number): void {
    const finished = { entry, removableAt: at, expiresAt: at };
    entry.retained = finished;
    this.#byExpiry.push(finished);
  }

  /** At most `max` tasks that are to go at `now`; each is given once. `kept` are those that are finished and kept. */
  take(now: number, kept: ReadonlySet<TaskEntry>, max: number): TaskEntry[] {
    this.#tidy(kept);
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

  /** What is gone leaves a heap by itself only at the top; behind something that is kept for long it would pile up. */
  #tidy(kept: ReadonlySet<TaskEntry>): void {
    for (const heap of [this.#byExpiry, this.#byAge]) {
      if (heap.size > (1 + spareShare) * kept.size + spareItems)
        heap.retain((finished) => this.#isWanted(finished, kept));
    }
  }

  #takeFrom(
    heap: Heap<Retained>,
    kept: ReadonlySet<TaskEntry>,
    taken: Set<TaskEntry>,
    max: number,
    isDue: (finished: Retained) => boolean,
  ): void {
    for (let top = heap.peek(); top && taken.size < max; top = heap.peek()) {
      const isWanted = this.#isWanted(top, kept);
      if (isWanted && !isDue(top)) return;
      heap.pop();
      if (!isWanted) continue;
      top.entry.retained = null;
      taken.add(top.entry);
    }
  }

  #isWanted(finished: Retained, kept: ReadonlySet<TaskEntry>): boolean {
    return kept.has(finished.entry) && finished.entry.retained === finished;
  }

  #dropGone(heap: Heap<Retained>, kept: ReadonlySet<TaskEntry>): void {
    for (let top = heap.peek(); top && !this.#isWanted(top, kept); top = heap.peek()) heap.pop();
  }
}
