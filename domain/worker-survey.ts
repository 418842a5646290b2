// Which workers could take a kind of task, and why those that take it do not: in numbers, for explaining. Pure.

import { type Kind, recordOf, takes } from './free-workers.ts';
import type { WorkerId } from './task.ts';
import type { WorkerEntry } from './task-entry.ts';

export interface WorkerSurvey {
  readonly registered: number;
  /** Of those, the ones that take the type, whatever queues they serve. */
  readonly ofType: number;
  /** Of those that are registered the ones that serve the queue, whatever types they take. */
  readonly ofQueue: number;
  /** That take the type and the queue, and stop. */
  readonly draining: number;
  /** That take both, and have not made the place yet where they are given tasks. */
  readonly notReady: readonly WorkerId[];
  /** That take both and could be given one if they had a free slot. */
  readonly able: number;
  /** Of those that are able. */
  readonly slots: number;
  readonly freeSlots: number;
}

export function surveyWorkers(workers: Iterable<WorkerEntry>, kind: Kind): WorkerSurvey {
  const survey = {
    ...{ registered: 0, ofType: 0, ofQueue: 0, draining: 0 },
    ...{ notReady: [] as WorkerId[], able: 0, slots: 0, freeSlots: 0 },
  };
  for (const worker of workers) {
    const record = recordOf(worker);
    if (!record) continue;
    survey.registered += 1;
    if (record.types === null || record.types.includes(kind.type)) survey.ofType += 1;
    if (record.queues === null || record.queues.includes(kind.queue)) survey.ofQueue += 1;
    if (!takes(worker, kind)) continue;
    if (record.draining) survey.draining += 1;
    else if (!worker.reachable) survey.notReady.push(worker.id);
    else {
      survey.able += 1;
      survey.slots += record.concurrency;
      survey.freeSlots += Math.max(0, record.concurrency - worker.tasks.size);
    }
  }
  return survey;
}

/** What registered workers name as what they take, in the order of the alphabet. */
export function typesOf(workers: Iterable<WorkerEntry>): string[] {
  const types = new Set<string>();
  for (const worker of workers) for (const type of recordOf(worker)?.types ?? []) types.add(type);
  return [...types].sort();
}
