// The leading master's index over a store in memory, for tests of what the gateway makes of its answers.

import { ServiceError } from '../../../domain/errors.ts';
import { explainAlone } from '../../../domain/explain-alone.ts';
import { cause, explanationOf, type TaskExplanation } from '../../../domain/explanation.ts';
import {
  type EventLine,
  formatPosition,
  type IndexedTasks,
  type ListPosition,
  type QueueView,
  type StatsView,
  type TaskEvent,
  type TaskFilter,
  type WorkerView,
} from '../../../domain/master-index.ts';
import type { TaskId, WorkerId } from '../../../domain/task.ts';
import { fitsFilter } from '../../../domain/task-list.ts';
import { taskStateAt, taskView } from '../../../domain/task-view.ts';
import type { KnownLeader, MasterIndex } from '../../../gateway/api/master-index.ts';
import type { InMemoryTaskStore } from './in-memory-task-store.ts';

export class InMemoryIndex implements MasterIndex {
  /** False: no master leads. */
  leading = true;
  /** What it says in place of what it knows. */
  explained: TaskExplanation | null = null;
  /** False: it leads, and cannot be asked. */
  answering = true;
  /** True: the stream of events is accepted and says nothing. */
  silent = false;
  /** Tasks that are looked at for one request. */
  scanMax = 1000;
  readonly #store: InMemoryTaskStore;
  readonly #events: { eventId: string; event: TaskEvent }[] = [];
  readonly #listeners = new Set<() => void>();
  #emitted = 0;

  constructor(store: InMemoryTaskStore) {
    this.#store = store;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async tasks(filter: TaskFilter, limit: number, after: ListPosition | null): Promise<IndexedTasks> {
    this.#requireLeader();
    const newestFirst = [...this.#store.tasks.values()]
      .map((snapshot) => ({ snapshot, number: Number(snapshot.id.slice('task-'.length)) }))
      .filter(({ number }) => after === null || number < after.number)
      .reverse();
    const scanned = newestFirst.slice(0, this.scanMax);
    const fitting = scanned.filter(({ snapshot }) => fitsFilter(taskView(snapshot, Date.now()), filter));
    const page = fitting.slice(0, limit);
    const last = page.length === limit ? page.at(-1) : scanned.at(-1);
    const isAll = last === undefined || last.number === newestFirst.at(-1)?.number;
    const place = (number: number) => formatPosition({ czxid: BigInt(number), number });
    return {
      tasks: page.map(({ snapshot, number }) => ({ id: snapshot.id, position: place(number) })),
      next: isAll ? null : place(last.number),
    };
  }

  async workers(): Promise<WorkerView[]> {
    this.#requireLeader();
    const worker = {
      address: '127.0.0.1:4000',
      concurrency: 2,
      types: ['echo'],
      queues: null,
      running: 1,
      draining: false,
    };
    return [{ id: 'worker-1' as WorkerId, ...worker }];
  }

  async queues(): Promise<QueueView[]> {
    this.#requireLeader();
    const counts = { scheduled: 0, queued: 0, running: 0 };
    return [...this.#store.queues].map(([name, settings]) => ({ name, ...settings, ...counts }));
  }

  async stats(): Promise<StatsView> {
    this.#requireLeader();
    const none = { scheduled: 0, queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 };
    const slots = { total: 2, free: 1 };
    return { leader: '127.0.0.1:3000', workers: 1, slots, tasks: none, oldestQueuedMs: null };
  }

  /** As a master does that knows of no worker. */
  async explain(id: TaskId): Promise<TaskExplanation> {
    this.#requireLeader();
    if (this.explained) return this.explained;
    const snapshot = this.#store.tasks.get(id);
    if (!snapshot) throw new Error(`nobody asks for ${id}`);
    const { type = null, queue = null } = snapshot.record ?? {};
    const [first = cause('no_workers', 'No worker is registered: start one.', { workers: 0, position: 0 })] =
      explainAlone(snapshot, Date.now());
    return explanationOf({ id, state: taskStateAt(snapshot, Date.now()), type, queue }, [first]);
  }

  leader(): KnownLeader {
    if (!this.leading) return { kind: 'nobody', since: 1000 };
    return { kind: 'ours', address: '127.0.0.1:3000', silentSince: this.answering ? null : 3000 };
  }

  async *events(after: string | null, signal: AbortSignal): AsyncIterable<EventLine> {
    this.#requireLeader();
    while (this.silent && !signal.aborted) await this.#nextChange(signal);
    if (signal.aborted) return;
    const at = this.#events.findIndex(({ eventId }) => eventId === after);
    let next = at < 0 ? this.#events.length : at + 1;
    yield { kind: 'start', resumed: after === null || at >= 0 };
    while (!signal.aborted && this.leading) {
      const event = this.#events[next];
      if (event) {
        next += 1;
        yield { kind: 'event', ...event };
      } else {
        await this.#nextChange(signal);
      }
    }
    if (!signal.aborted) this.#requireLeader();
  }

  emit(event: TaskEvent): void {
    this.#emitted += 1;
    this.#events.push({ eventId: `e-${this.#emitted}`, event });
    this.wakeAll();
  }

  /** As a master does that has just begun. */
  forgetEvents(): void {
    this.#events.length = 0;
  }

  wakeAll(): void {
    for (const wake of this.#listeners) wake();
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#listeners.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#listeners.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #requireLeader(): void {
    if (!this.leading || !this.answering)
      throw new ServiceError('no-leader', 'No master leads at the moment; try again.');
  }
}
