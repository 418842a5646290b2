// The workers that have a free slot while a plan is made. Within one plan slots only get fewer, so what nobody takes now nobody
// takes later: that is remembered, or a plan would cost as much as there are kinds of tasks times workers. Pure.

import type { ReadyGroup } from './ready-line.ts';
import type { WorkerRecord } from './task.ts';
import type { WorkerEntry } from './task-entry.ts';

/** What a task must be for a worker to take it. */
export type Kind = Pick<ReadyGroup, 'queue' | 'type'>;

export class FreeWorkers {
  readonly #workers = new Set<WorkerEntry>();
  /** Kinds of which that was asked in vain. */
  readonly #untaken = new Set<string>();
  /** Some worker takes tasks of certain queues only; else the type alone makes the kind. */
  readonly #namesQueues: boolean;

  constructor(workers: Iterable<WorkerEntry>) {
    let namesQueues = false;
    for (const worker of workers) {
      if (freeSlotsOf(worker) === 0) continue;
      this.#workers.add(worker);
      namesQueues ||= recordOf(worker)?.queues !== null;
    }
    this.#namesQueues = namesQueues;
  }

  get count(): number {
    return this.#workers.size;
  }

  /** Whether any of them takes such tasks. */
  takes(kind: Kind): boolean {
    const key = this.#namesQueues ? `${kind.queue} ${kind.type}` : kind.type;
    if (this.#untaken.has(key)) return false;
    for (const worker of this.#workers) if (takes(worker, kind)) return true;
    this.#untaken.add(key);
    return false;
  }

  /**
   * Load is the share of its slots that a worker has in use; equal loads go to the one with fewer tasks. `avoided` is taken only
   * where there is no other.
   */
  leastLoaded(kind: Kind, avoided: string | null): WorkerEntry | null {
    if (!this.takes(kind)) return null;
    let best: { worker: WorkerEntry; load: number } | null = null;
    for (const worker of this.#workers) {
      if (!takes(worker, kind)) continue;
      // Below 1: it has a free slot.
      const share = worker.tasks.size / (recordOf(worker)?.concurrency ?? 1);
      const load = worker.id === avoided ? 1 + share : share;
      if (!best || load < best.load || (load === best.load && worker.tasks.size < best.worker.tasks.size)) {
        best = { worker, load };
      }
    }
    return best?.worker ?? null;
  }

  /** It was given something. */
  review(worker: WorkerEntry): void {
    if (freeSlotsOf(worker) === 0) this.#workers.delete(worker);
  }
}

function freeSlotsOf(worker: WorkerEntry): number {
  const record = recordOf(worker);
  if (!record || !worker.reachable || record.draining) return 0;
  return Math.max(0, record.concurrency - worker.tasks.size);
}

export function takes(worker: WorkerEntry, { queue, type }: Kind): boolean {
  const record = recordOf(worker);
  if (!record) return false;
  const { types, queues } = record;
  return (types === null || types.includes(type)) && (queues === null || queues.includes(queue));
}

/** What a registered worker says of itself; null where it is none, has not been read yet, or is of a newer version. */
export function recordOf({ fact }: WorkerEntry): WorkerRecord | null {
  return fact === null || fact === 'unread' ? null : fact.record;
}
