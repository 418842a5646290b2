// What a leading master decides, computed from its index alone; assign-loop.ts commits it. Deciding marks the task in
// the index, so one task never has two decisions under way. Pure.

import { Heap } from './heap.ts';
import { type ReadyGroup, runsBefore } from './ready-line.ts';
import type { TaskId, WorkerId } from './task.ts';
import type { Place, TaskEntry, WorkerEntry } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';

export interface AssignDecision {
  readonly kind: 'assign';
  readonly entry: TaskEntry;
  readonly task: TaskId;
  readonly taskVersion: number;
  readonly worker: WorkerId;
  readonly workerVersion: number;
  readonly attempt: number;
}

/** The best task of a group, as long as nobody takes it. */
interface Front {
  readonly group: ReadyGroup;
  readonly head: Place;
}

/**
 * Gives ready tasks to free slots, at most `max` of them: by priority, then by age, to the least loaded worker that
 * takes the type and the queue. A task waits only where no such worker has a free slot, or where the settings of its queue
 * let no more of it start; so none of higher priority ever stands behind one of lower priority that the same workers and the
 * same queue could run.
 */
export function planAssignments(index: TaskIndex, max: number): AssignDecision[] {
  const decisions: AssignDecision[] = [];
  const fronts = new Heap<Front>((a, b) => runsBefore(a.head, b.head));
  const addFront = (group: ReadyGroup) => {
    const head = index.ready.headOf(group);
    if (head) fronts.push({ group, head });
  };
  for (const group of index.ready.groups.values()) addFront(group);
  while (decisions.length < max) {
    const front = fronts.pop();
    if (!front) break;
    const { group, head } = front;
    // Slots and what queues may start only get fewer within one plan: the group is not looked at again.
    const worker = index.mayStart(group.queue) ? leastLoaded(index, group) : null;
    if (!worker) continue;
    index.ready.takeHead(group);
    const decision = assign(index, head.entry, worker);
    if (decision) decisions.push(decision);
    addFront(group);
  }
  index.ready.dropEmptyGroups();
  return decisions;
}

/** Load is the share of its slots that a worker has in use; equal loads go to the one with fewer tasks. */
function leastLoaded(index: TaskIndex, group: ReadyGroup): WorkerEntry | null {
  let best: { worker: WorkerEntry; load: number } | null = null;
  for (const worker of index.workers.values()) {
    if (!takes(worker, group)) continue;
    const load = worker.tasks.size / concurrencyOf(worker);
    if (!best || load < best.load || (load === best.load && worker.tasks.size < best.worker.tasks.size)) {
      best = { worker, load };
    }
  }
  return best?.worker ?? null;
}

function takes(worker: WorkerEntry, { queue, type }: ReadyGroup): boolean {
  const { fact } = worker;
  if (fact === null || fact === 'unread' || !worker.reachable) return false;
  const { types, queues, draining, concurrency } = fact.record;
  if (draining || worker.tasks.size >= concurrency) return false;
  return (types === null || types.includes(type)) && (queues === null || queues.includes(queue));
}

function concurrencyOf({ fact }: WorkerEntry): number {
  return fact === null || fact === 'unread' ? 0 : fact.record.concurrency;
}

function assign(index: TaskIndex, entry: TaskEntry, worker: WorkerEntry): AssignDecision | null {
  const { fact } = entry;
  const { id, fact: present } = worker;
  if (fact === null || fact === 'unread' || present === null || present === 'unread') return null;
  const attempt = index.nextAttempt(entry);
  index.decide(entry, id);
  const versions = { taskVersion: fact.version, workerVersion: present.version };
  return { kind: 'assign', entry, task: entry.id, worker: id, attempt, ...versions };
}
