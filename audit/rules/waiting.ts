// What a task that is not final waits for, where no assignment is under way: its time, other tasks, its exclusive key, its queue, a
// worker that takes it. One that waits for none of these should have been given to a worker, or ended. Pure.

import { decodeQueue } from '../../coordination/queue-record.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { unreadableQueueSettings } from '../../domain/queue-settings.ts';
import type { TaskRecord } from '../../domain/task.ts';
import { dependenciesOf, taskNumber } from '../../domain/task-id.ts';
import { deadlineOf, earliestStart } from '../../domain/task-view.ts';
import { lookAtWorker } from '../assignment-look.ts';
import { type Look, lookAt } from '../suspicion.ts';
import { isCreatedBefore, lookAtTask, type TaskLook } from '../task-look.ts';
import type { TreeSnapshot } from '../tree-snapshot.ts';
import { workersIn } from '../tree-survey.ts';

export class WaitingTasks {
  readonly #tree: TreeSnapshot;
  readonly #look: Look;
  readonly #now: number;
  /** The first in the line of each exclusive key. */
  readonly #first = new Map<string, TaskLook>();

  constructor(tree: TreeSnapshot, unfinished: readonly TaskLook[], now: number) {
    this.#tree = tree;
    this.#look = lookAt(tree);
    this.#now = now;
    for (const task of unfinished) {
      const key = task.record?.exclusiveKey ?? null;
      const first = key === null ? null : (this.#first.get(key) ?? task);
      if (key !== null && first) this.#first.set(key, isCreatedBefore(task, first) ? task : first);
    }
  }

  /** Why it should not be as it is; null: it waits for something. */
  faultOf(task: TaskLook): string | null {
    const { reading, record, cancel, attempts, unblocked } = task;
    if (reading.kind === 'newer') return null;
    if (!record) return 'is no task of ours';
    if (cancel) return 'is to be cancelled';
    if ((deadlineOf(record) ?? Infinity) <= this.#now) return 'its deadline has passed';
    const start = earliestStart(attempts.at(-1)?.record.retryAt ?? null, record, unblocked?.stat.ctime ?? null);
    if (start === Infinity) return this.#dependencyFault(task, record);
    const waits = start > this.#now || this.#isHeldBack(record) || this.#isInLine(task, record);
    return waits || !this.#isTaken(record) ? null : 'waits for nothing';
  }

  #dependencyFault({ id }: TaskLook, record: TaskRecord): string | null {
    const standings = dependenciesOf(id, record).map((other) => {
      if (!this.#look(paths.task(other))) return taskNumber(other) >= taskNumber(id) ? 'open' : 'failed';
      const task = lookAtTask(this.#look, other);
      if (!task?.status) return 'open';
      return task.status.record.state === 'succeeded' ? 'done' : 'failed';
    });
    const { afterFailure } = record;
    if (afterFailure === 'fail' && standings.includes('failed')) return 'comes after one that did not succeed';
    const isOpen = standings.includes('open') || (afterFailure === 'wait' && standings.includes('failed'));
    return isOpen ? null : 'was not let go by the tasks that it comes after';
  }

  /** By the settings of its queue. */
  #isHeldBack({ queue }: TaskRecord): boolean {
    const node = this.#look(paths.queue(queue));
    if (!node) return false;
    const settings = node.isHidden ? null : decodeQueue(node.data).settings;
    const { paused, concurrency, ratePerSecond } = settings ?? unreadableQueueSettings;
    return paused || concurrency === 0 || ratePerSecond !== null;
  }

  #isInLine(task: TaskLook, { exclusiveKey }: TaskRecord): boolean {
    return exclusiveKey !== null && this.#first.get(exclusiveKey) !== task;
  }

  #isTaken({ type, queue }: TaskRecord): boolean {
    return [...workersIn(this.#tree)].some((id) => {
      const worker = lookAtWorker(this.#look, id)?.record;
      if (!worker || worker.draining || worker.concurrency === 0 || !this.#look(paths.assignments(id))) return false;
      return worker.types?.includes(type) !== false && worker.queues?.includes(queue) !== false;
    });
  }
}
