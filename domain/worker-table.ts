// The workers that a master knows: what each says of itself, whether it can be given anything, and what it has been given.
// One is kept as long as anything of it is there. Pure.

import type { TaskId, WorkerId } from './task.ts';
import type { AssignmentFact, Unread, WorkerEntry, WorkerFact } from './task-entry.ts';

export class WorkerTable {
  readonly workers = new Map<WorkerId, WorkerEntry>();
  /** Workers that went and left an empty `/assign/<worker>` behind. */
  readonly abandoned = new Set<WorkerId>();

  /** One that is not known yet is known from now on. */
  of(id: WorkerId): WorkerEntry {
    let worker = this.workers.get(id);
    if (!worker) {
      worker = { id, fact: null, reachable: false, wasPresent: false, tasks: new Set() };
      this.workers.set(id, worker);
    }
    return worker;
  }

  setReachable(id: WorkerId, reachable: boolean): void {
    this.of(id).reachable = reachable;
    this.#review(id);
  }

  /** Returns what it has been given, which may have become something else by that. */
  setFact(id: WorkerId, fact: WorkerFact | Unread | null): ReadonlySet<TaskId> {
    const worker = this.of(id);
    worker.fact = fact;
    if (fact !== null && fact !== 'unread') worker.wasPresent = true;
    this.#review(id);
    return worker.tasks;
  }

  give(id: WorkerId, task: TaskId): void {
    this.of(id).tasks.add(task);
    this.#review(id);
  }

  takeBack(id: WorkerId, task: TaskId): void {
    this.of(id).tasks.delete(task);
    this.#review(id);
  }

  /** True where the assignment belongs to no living worker: its worker is gone, or has begun a new life since. */
  isLost(worker: WorkerId, assignment: AssignmentFact): boolean {
    const fact = this.workers.get(worker)?.fact ?? null;
    return fact !== 'unread' && (fact === null || assignment.czxid < fact.czxid);
  }

  #review(id: WorkerId): void {
    const worker = this.of(id);
    const isGone = worker.fact === null && worker.tasks.size === 0;
    if (isGone && worker.reachable && worker.wasPresent) this.abandoned.add(id);
    else this.abandoned.delete(id);
    if (isGone && !worker.reachable) this.workers.delete(id);
  }
}
