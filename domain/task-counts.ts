// How many tasks there are in each state, in all and by queue, and how many slots each queue takes up. Kept up with each
// change of a task, so that nobody has to walk over all of them. A task whose present state has not been read yet stays
// where it was last. Pure.

import type { TaskState } from './task.ts';
import type { TaskEntry } from './task-entry.ts';

/** Of the tasks of one queue. */
export interface QueueCounts {
  scheduled: number;
  queued: number;
  running: number;
  /** Tasks that are assigned or about to be, also those that are final or deleted and were not let go yet. */
  slots: number;
}

export class TaskCounts {
  readonly states: Record<TaskState, number> = {
    scheduled: 0,
    queued: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
  };
  /** Those with anything to count. */
  readonly queues = new Map<string, QueueCounts>();
  #unclear = 0;
  #slotsOfUnknown = 0;

  /** Tasks that are not final, those included that have not been read yet. */
  get unfinished(): number {
    const { scheduled, queued, running } = this.states;
    return scheduled + queued + running + this.#unclear;
  }

  /**
   * Slots that may be taken by tasks of the queue: an assignment can be seen a moment before the task itself, and until then any
   * queue may be the one. A task that we may not read is of none, or it would take up a slot of each for ever.
   */
  slotsOf(queue: string): number {
    return (this.queues.get(queue)?.slots ?? 0) + this.#slotsOfUnknown;
  }

  /** `state`: null where it is not known at the moment. */
  update(entry: TaskEntry, state: TaskState | null): void {
    const slot = slotOf(entry);
    const counted = state ?? unclearState(entry);
    if (entry.countedState === counted && entry.countedSlot === slot && entry.countedQueue === entry.queue) return;
    this.#add(entry, -1);
    entry.countedState = counted;
    entry.countedQueue = entry.queue;
    entry.countedSlot = slot;
    this.#add(entry, 1);
  }

  forget(entry: TaskEntry): void {
    this.#add(entry, -1);
    entry.countedState = null;
    entry.countedQueue = null;
    entry.countedSlot = null;
  }

  #add({ countedState: state, countedQueue: queue, countedSlot: slot }: TaskEntry, by: 1 | -1): void {
    if (state === 'unclear') this.#unclear += by;
    else if (state !== null) this.states[state] += by;
    if (slot === 'unknown') this.#slotsOfUnknown += by;
    if (queue === null) return;
    const isWaitingOrRunning = state === 'scheduled' || state === 'queued' || state === 'running';
    if (!isWaitingOrRunning && !slot) return;
    let counts = this.queues.get(queue);
    if (!counts) {
      counts = { scheduled: 0, queued: 0, running: 0, slots: 0 };
      this.queues.set(queue, counts);
    }
    if (isWaitingOrRunning) counts[state] += by;
    if (slot) counts.slots += by;
    if (counts.scheduled + counts.queued + counts.running + counts.slots === 0) this.queues.delete(queue);
  }
}

/** What it was; a task of which nothing is known yet is unfinished until it is. One whose end we shall not read has ended. */
function unclearState({ fact, status, countedState, partUnreadable }: TaskEntry): TaskEntry['countedState'] {
  if (fact === null || (status === 'unread' && partUnreadable !== null)) return null;
  return countedState ?? (status === null ? 'unclear' : null);
}

/** An assignment of something that is no task of any queue takes up none. */
function slotOf({ assignments, assigning, queue, fact, forbidden }: TaskEntry): TaskEntry['countedSlot'] {
  if (assignments.size === 0 && assigning === null) return null;
  if (queue !== null) return 'known';
  return fact === 'unread' && !forbidden ? 'unknown' : null;
}
