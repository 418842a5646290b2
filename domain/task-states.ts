// What follows from the states of tasks, kept up as they change: how many there are of each kind, who has waited longest, which
// starts count towards the rate of a queue, and what there is to announce. Pure.

import { queuedSinceOf, stateOf } from './entry-state.ts';
import type { TaskEvent } from './master-index.ts';
import type { QueueTable } from './queue-table.ts';
import { takeAsAnnounced, takeNews } from './state-news.ts';
import type { TaskState } from './task.ts';
import { TaskCounts } from './task-counts.ts';
import type { TaskEntry } from './task-entry.ts';
import { Timeline } from './timeline.ts';

export class TaskStates {
  readonly counts = new TaskCounts();
  /** Told of each change of state once the picture is live. */
  onEvent: ((event: TaskEvent) => void) | null = null;
  readonly #queues: QueueTable;
  readonly #waiting = new Timeline<TaskEntry>((entry, since) => entry.queuedSince === since);
  #live = false;

  constructor(queues: QueueTable) {
    this.#queues = queues;
  }

  /** The picture is complete for the first time: until now it was read, from now on it happens. */
  goLive(): void {
    this.#live = true;
  }

  /** Since when the task that is queued longest is queued, epoch ms; null where none is. */
  get queuedSince(): number | null {
    return this.#waiting.earliest()?.at ?? null;
  }

  /** To be called after each change of the entry. Returns its state; null where that is not known at the moment. */
  update(entry: TaskEntry, now: number): TaskState | null {
    const state = stateOf(entry, now);
    const hadSlot = entry.countedSlot === 'known';
    this.counts.update(entry, state);
    const isStarted = !hadSlot && entry.countedSlot === 'known';
    // Of its own decisions a leader has told the queue when it made them.
    if (this.#live && isStarted && entry.assigning === null && entry.queue !== null)
      this.#queues.noteStart(entry.queue, now);
    if (state !== null) this.#noteWaiting(entry, state);
    this.#announce(entry, now);
    return state;
  }

  forget(entry: TaskEntry): void {
    this.counts.forget(entry);
    entry.queuedSince = null;
  }

  #noteWaiting(entry: TaskEntry, state: TaskState): void {
    const since = state === 'queued' ? queuedSinceOf(entry) : null;
    if (since === 'unread' || since === entry.queuedSince) return;
    entry.queuedSince = since;
    if (since !== null) this.#waiting.set(entry, since, this.counts.states.queued);
  }

  #announce(entry: TaskEntry, now: number): void {
    if (!this.#live) takeAsAnnounced(entry, now);
    else for (const event of takeNews(entry, now)) this.onEvent?.(event);
  }
}
