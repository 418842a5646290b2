// Whether more tasks are taken: by how many are unfinished in all, and by how many wait in their queue where that has a
// `maxQueued`. Both go by the leading master's counts, which may be a second old, and our own submits since. What is
// submitted together is taken together or not at all.

import type { BacklogWatch } from '../../coordination/backlog.ts';
import type { QueueDirectory } from '../../coordination/queue-ledger.ts';
import { ServiceError } from '../../domain/errors.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import { taskNumber } from '../../domain/task-id.ts';
import type { RecentSubmits, Submit } from './recent-submits.ts';

const retryAfterMs = 1000;

/** A place that was given; it is given back where nothing came of it. */
export interface Place {
  /** In the order of the records. */
  made(tasks: readonly TaskId[]): void;
  giveBack(): void;
}

export class Admission {
  readonly #backlog: BacklogWatch;
  readonly #queues: QueueDirectory;
  readonly #recent: RecentSubmits;
  readonly #unfinishedTasksMax: number;

  constructor(backlog: BacklogWatch, queues: QueueDirectory, recent: RecentSubmits, unfinishedTasksMax: number) {
    this.#backlog = backlog;
    this.#queues = queues;
    this.#recent = recent;
    this.#unfinishedTasksMax = unfinishedTasksMax;
  }

  /** True where it is to be known which tasks were given to workers, as those of such a queue do not wait any more. */
  isLimited(records: readonly TaskRecord[]): boolean {
    return records.some(({ queue }) => this.#queues.settingsOf(queue).maxQueued !== null);
  }

  /** Throws 'queue-full'. */
  admit(records: readonly TaskRecord[]): Place {
    const max = this.#unfinishedTasksMax;
    if (this.#backlog.unfinished + records.length > max) {
      throw queueFull(`${max} tasks may be unfinished at a time, and ${this.#backlog.unfinished} are`, records.length);
    }
    const limited = placesByLimitedQueue(records, this.#queues);
    for (const [queue, places] of limited) this.#requireRoom(queue, places.length);
    const { own } = this.#backlog;
    own.begin(records.length);
    const submits = [...limited].map(([queue, places]) => ({ places, submit: this.#recent.add(queue, places.length) }));
    return {
      made: (tasks) => {
        own.end(records.length, tasks.map(taskNumber));
        for (const { places, submit } of submits) this.#made(submit, places, tasks);
      },
      giveBack: () => {
        own.end(records.length, []);
        for (const { submit } of submits) this.#recent.remove(submit);
      },
    };
  }

  #requireRoom(queue: string, more: number): void {
    const max = this.#queues.settingsOf(queue).maxQueued ?? Number.POSITIVE_INFINITY;
    const waiting = this.#backlog.waitingIn(queue) + this.#recent.count(queue);
    if (waiting + more > max) {
      throw queueFull(`${max} tasks may wait in queue ${queue} (its maxQueued), and ${waiting} do`, more);
    }
  }

  #made(submit: Submit, places: readonly number[], tasks: readonly TaskId[]): void {
    const own = places.map((place) => tasks[place]).filter((task) => task !== undefined);
    this.#recent.made(submit, own);
  }
}

/** The places, among the records, of those whose queue has a `maxQueued`. */
function placesByLimitedQueue(records: readonly TaskRecord[], queues: QueueDirectory): Map<string, number[]> {
  const limited = new Map<string, number[]>();
  for (const [place, { queue }] of records.entries()) {
    if (queues.settingsOf(queue).maxQueued === null) continue;
    const places = limited.get(queue);
    if (places) places.push(place);
    else limited.set(queue, [place]);
  }
  return limited;
}

function queueFull(why: string, more: number): ServiceError {
  const what = more === 1 ? 'this one is not taken' : `these ${more} are not taken`;
  return new ServiceError('queue-full', `${why}, so ${what}; try again when some are done.`, { retryAfterMs });
}
