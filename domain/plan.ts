// What a leading master decides, computed from its index alone; assign-loop.ts commits it. Deciding marks the task in
// the index, so one task never has two decisions under way. Pure.

import { lastAttemptOf } from './entry-state.ts';
import { FreeWorkers } from './free-workers.ts';
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
  const free = new FreeWorkers(index.workers.values());
  if (free.count === 0) return decisions; // as mostly, where there is much to do: the line may be long
  const fronts = new Heap<Front>((a, b) => runsBefore(a.head, b.head));
  const addFront = (group: ReadyGroup) => {
    const head = free.takes(group) ? index.ready.headOf(group) : null;
    if (head) fronts.push({ group, head });
  };
  for (const group of index.ready.groups.values()) addFront(group);
  while (decisions.length < max && free.count > 0) {
    const front = fronts.pop();
    if (!front) break;
    const { group, head } = front;
    // Slots and what queues may start only get fewer within one plan: the group is not looked at again.
    const worker = index.mayStart(group.queue) ? free.leastLoaded(group, workerToAvoid(head.entry)) : null;
    if (!worker) continue;
    index.ready.takeHead(group);
    const decision = assign(index, head.entry, worker);
    if (decision) decisions.push(decision);
    free.review(worker);
    addFront(group);
  }
  index.ready.dropEmptyGroups();
  return decisions;
}

/** One that took too long for the last attempt may take too long again, or be at it still. */
function workerToAvoid(entry: TaskEntry): string | null {
  const last = lastAttemptOf(entry);
  return last !== null && last !== 'unread' && last.outcome === 'timed_out' ? last.worker : null;
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
