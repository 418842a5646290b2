// The one implementation behind both faces. It holds no state but the requests that wait; single tasks are in the store,
// everything about many is in the leading master's index. What it throws are ServiceErrors.

import { randomUUID } from 'node:crypto';
import { ServiceError } from '../../domain/errors.ts';
import type { Explanation } from '../../domain/explanation.ts';
import type { QueueView, StatsView, WorkerView } from '../../domain/master-index.ts';
import type { QueueSettings } from '../../domain/queue-settings.ts';
import type { TaskId, TaskSpec } from '../../domain/task.ts';
import { type TaskSnapshot, type TaskView, taskView } from '../../domain/task-view.ts';
import { type EventChange, EventHub } from './event-hub.ts';
import type { MasterIndex } from './master-index.ts';
import { explainTask } from './task-explanation.ts';
import { followTask, isSettled, isUnavailable, lookForEnd } from './task-follow.ts';
import { taskNotFound } from './task-id.ts';
import { type ListOptions, listTasks, type TaskPage } from './task-listing.ts';
import { makeTask, readAsAskedFor, readFirstOfKey } from './task-making.ts';
import { fingerprintOf, newborn, notFinal, recordOf, requireNotFinal, retryableSpec } from './task-origin.ts';
import type { TaskStore } from './task-store.ts';
import { streamTask, type TaskChange } from './task-stream.ts';
import { type Wait, Waits } from './waits.ts';

export interface WaitOptions {
  /** 0: answer at once. */
  readonly waitMs: number;
  /** Aborts when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

export interface SubmitOptions extends WaitOptions {
  readonly idempotencyKey: string | null;
  readonly fingerprint: string | null;
}

export interface SubmittedTask {
  readonly task: TaskView;
  /** False: the idempotency key had made this task before. */
  readonly created: boolean;
}

export interface SubmittedTasks {
  /** In the order of the specs; of a repeated batch those that are still kept, read when they are asked for. */
  readonly tasks: Iterable<TaskView> | AsyncIterable<TaskView>;
  /** False: the idempotency key had made these tasks before. */
  readonly created: boolean;
}

export interface StreamOptions {
  /** The last event that the caller has seen, by its id; null: begin with the present. */
  readonly lastEventId: string | null;
  /** Aborts when nobody listens any more. */
  readonly signal: AbortSignal;
}

export class TaskApi {
  readonly #store: TaskStore;
  readonly #index: MasterIndex;
  readonly #events: EventHub;
  readonly #waits: Waits;

  constructor(store: TaskStore, index: MasterIndex, waitsMax: number) {
    this.#store = store;
    this.#index = index;
    this.#events = new EventHub(index);
    this.#waits = new Waits(waitsMax);
  }

  get waiting(): number {
    return this.#waits.count;
  }

  get isDraining(): boolean {
    return this.#waits.isDraining;
  }

  /** True while requests can be answered from the ensemble and new ones are welcome. */
  get isReady(): boolean {
    return this.#store.isReady() && !this.isDraining;
  }

  /** Every request that waits gets the present state now, and so does each later one; streams end. */
  drain(): void {
    this.#waits.drain();
    this.#events.close();
  }

  async submit(spec: TaskSpec, options: SubmitOptions): Promise<SubmittedTask> {
    // A place to wait is taken first: to refuse it once the task is committed would be too late.
    const wait = options.waitMs > 0 ? this.#waits.open(options.waitMs, options.signal) : null;
    try {
      const record = recordOf(spec, { idempotencyKey: options.idempotencyKey });
      const { id, createdAt, created } = await this.#store.submit(record, options.fingerprint);
      const first = created ? newborn(id, record, createdAt) : await readFirstOfKey(this.#store, id);
      const last = wait ? await this.#followSubmitted(first, wait, options.signal) : first;
      return { task: taskView(last, Date.now()), created };
    } finally {
      wait?.close();
    }
  }

  /** Throws 'task-not-found' and 'task-unreadable'; so does whatever else is about one task. */
  async get(id: TaskId, { waitMs, signal }: WaitOptions): Promise<TaskView> {
    const present = waitMs > 0 ? await this.#getFinal(id, waitMs, signal) : await this.#store.read(id);
    if (!present) throw taskNotFound(id);
    return taskView(present, Date.now());
  }

  /** Why it is not running, or what became of it; also while no master leads. Throws 'task-not-found'. */
  explain(id: TaskId): Promise<Explanation> {
    return explainTask(this.#store, this.#index, id);
  }

  /** All or nothing. Throws 'batch-too-large'. */
  async submitBatch(
    specs: readonly TaskSpec[],
    { idempotencyKey, fingerprint }: Pick<SubmitOptions, 'idempotencyKey' | 'fingerprint'>,
  ): Promise<SubmittedTasks> {
    const submitId = randomUUID();
    const size = specs.length;
    const records = specs.map((spec, index) => recordOf(spec, { idempotencyKey, submitId, batch: { index, size } }));
    const { ids, createdAt, created } = await this.#store.submitBatch(records, fingerprint);
    if (!created) return { tasks: readAsAskedFor(this.#store, ids), created };
    const now = Date.now();
    return { tasks: ids.map((id, place) => taskView(newborn(id, records[place] ?? null, createdAt), now)), created };
  }

  /** Newest first. Throws 'no-leader', and 'invalid-request' for a cursor that is none. */
  list(options: ListOptions): Promise<TaskPage> {
    return listTasks(this.#store, this.#index, options);
  }

  /**
   * Asks for the task to be cancelled and answers it as it is then: mostly not cancelled yet. Throws 'task-not-found' and
   * 'task-already-final'.
   */
  async cancel(id: TaskId, reason: string): Promise<TaskView> {
    const before = await this.get(id, atOnce);
    requireNotFinal(before);
    if (!(await this.#store.cancel(id, reason))) throw taskNotFound(id);
    const task = await this.get(id, atOnce).catch(knownIfUnavailable(before));
    if (task.state !== 'cancelled') requireNotFinal(task); // it ended before it was asked
    return task;
  }

  /** Runs a failed or cancelled task again, as a new one. Throws 'task-not-found', 'task-not-final', 'task-not-retryable'. */
  retry(id: TaskId, idempotencyKey: string | null): Promise<SubmittedTask> {
    return makeTask(this.#store, idempotencyKey, fingerprintOf({ retryOf: id }), async () => {
      const old = await this.#readEnded(id);
      if (!old) throw taskNotFound(id);
      return recordOf(retryableSpec(old), { idempotencyKey, retryOf: id });
    });
  }

  /** Removes a final task. Throws 'task-not-found' and 'task-not-final'. */
  async remove(id: TaskId): Promise<void> {
    const outcome = await this.#store.remove(id);
    if (outcome === 'no such task') throw taskNotFound(id);
    if (outcome === 'not final') throw notFinal(id, 'only final tasks can be deleted; cancel it first');
  }

  /**
   * The present state of the task (after `lastEventId`: what came since), then each change, until it is final. Null: the
   * caller has seen the final state already. Throws 'task-not-found' and 'too-many-waits'.
   */
  async watchTask(id: TaskId, options: StreamOptions): Promise<AsyncIterable<TaskChange> | null> {
    const place = this.#placeForStream(options.signal);
    try {
      const stream = await streamTask(this.#store, id, options.lastEventId, place.signal);
      if (stream === null) place.close();
      return stream && closing(stream, place);
    } catch (error) {
      place.close();
      throw error;
    }
  }

  /** State changes of all tasks from now on, or after `lastEventId`. Throws 'no-leader' and 'too-many-waits'. */
  async watchEvents({ lastEventId, signal }: StreamOptions): Promise<AsyncIterable<EventChange>> {
    const place = this.#placeForStream(signal);
    try {
      return closing(await this.#events.subscribe(lastEventId, place.signal), place);
    } catch (error) {
      place.close();
      throw error;
    }
  }

  /** Throws 'no-leader'; so do the next two. */
  workers(): Promise<readonly WorkerView[]> {
    return this.#index.workers();
  }

  queues(): Promise<readonly QueueView[]> {
    return this.#index.queues();
  }

  stats(): Promise<StatsView> {
    return this.#index.stats();
  }

  /** All settings of the queue; also while no master leads. Throws 'queue-unreadable'. */
  queue(name: string): Promise<QueueSettings> {
    return this.#store.readQueue(name);
  }

  /** Changes what `change` names; answers all settings of the queue. Throws 'too-many-queues' and 'queue-unreadable'. */
  updateQueue(name: string, change: Partial<QueueSettings>): Promise<QueueSettings> {
    return this.#store.updateQueue(name, change);
  }

  /** None is begun while draining: it would end at once, and so the client come again at once. */
  #placeForStream(signal: AbortSignal): Wait {
    if (this.isDraining) throw new ServiceError('shutting-down', 'The gateway is shutting down; ask another one.');
    return this.#waits.open(null, signal);
  }

  async #getFinal(id: TaskId, waitMs: number, caller: AbortSignal): Promise<TaskSnapshot | null> {
    const first = await lookForEnd(this.#store, id);
    if (isSettled(first)) return first.snapshot;
    const wait = this.#waits.open(waitMs, caller);
    try {
      return await followTask(this.#store, id, first, wait, caller);
    } finally {
      wait.close();
    }
  }

  /** The commit is a fact by now: whatever fails while waiting, the answer is the task as far as it is known. */
  async #followSubmitted(first: TaskSnapshot, wait: Wait, caller: AbortSignal): Promise<TaskSnapshot> {
    const followed = followTask(this.#store, first.id, { snapshot: first }, wait, caller);
    return (await followed.catch(knownIfUnavailable(first))) ?? first;
  }

  /** Its end may have been shown by another gateway already; what is final stays so. */
  async #readEnded(id: TaskId): Promise<TaskSnapshot | null> {
    const shown = await this.#store.read(id);
    return shown?.status === null ? await this.#store.readFresh(id) : shown;
  }
}

export const atOnce: WaitOptions = { waitMs: 0, signal: new AbortController().signal };

/** Gives the place back when the stream is over, however it ends. */
async function* closing<T>(stream: AsyncIterable<T>, place: Wait): AsyncIterable<T> {
  try {
    yield* stream;
  } finally {
    place.close();
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof ServiceError && error.reason === 'task-unreadable';
}

/** For the answer to what is a fact by now, where the store cannot say any more what has become of it. */
function knownIfUnavailable<T>(known: T): (error: unknown) => T {
  return (error) => {
    if (isUnavailable(error) || isUnreadable(error)) return known;
    throw error;
  };
}
