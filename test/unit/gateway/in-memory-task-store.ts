// A TaskStore in memory, for tests of what the gateway makes of requests and answers. It stands for no ZooKeeper: what
// the real store promises is tested on a real ensemble elsewhere.

import { ServiceError } from '../../../domain/errors.ts';
import type { FinalState, Json, StatusRecord, TaskId, TaskRecord } from '../../../domain/task.ts';
import type { TaskSnapshot } from '../../../domain/task-view.ts';
import type { Submitted, TaskStore } from '../../../gateway/api/task-store.ts';

export class InMemoryTaskStore implements TaskStore {
  ready = true;
  /** Thrown by the next submits and reads until it is null again. */
  failure: ServiceError | null = null;
  /** Ids and records as they arrived. */
  readonly submitted: TaskRecord[] = [];
  reads = 0;
  readonly #tasks = new Map<TaskId, TaskSnapshot>();
  readonly #keys = new Map<string, { id: TaskId; fingerprint: string | null }>();
  readonly #watchers = new Set<() => void>();

  get watchers(): number {
    return this.#watchers.size;
  }

  async submit(record: TaskRecord, fingerprint: string | null): Promise<Submitted> {
    if (this.failure) throw this.failure;
    const first = record.idempotencyKey === null ? undefined : this.#keys.get(record.idempotencyKey);
    if (first) {
      if (first.fingerprint !== fingerprint) throw new ServiceError('idempotency-key-reused', 'Another request.');
      return { id: first.id, createdAt: record.submittedAt, created: false };
    }
    const id = `task-${String(this.#tasks.size).padStart(10, '0')}` as TaskId;
    if (record.idempotencyKey !== null) this.#keys.set(record.idempotencyKey, { id, fingerprint });
    this.submitted.push(record);
    this.put({ id, record, createdAt: record.submittedAt, status: null, attempts: [], assignment: null });
    return { id, createdAt: record.submittedAt, created: true };
  }

  async read(id: TaskId): Promise<TaskSnapshot | null> {
    this.reads += 1;
    if (this.failure) throw this.failure;
    return this.#tasks.get(id) ?? null;
  }

  changed(id: TaskId, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.#tasks.get(id)?.status) {
        resolve();
        return;
      }
      const wake = () => {
        this.#watchers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  isReady(): boolean {
    return this.ready;
  }

  put(snapshot: TaskSnapshot): void {
    this.#tasks.set(snapshot.id, snapshot);
    this.wakeAll();
  }

  remove(id: TaskId): void {
    this.#tasks.delete(id);
    this.wakeAll();
  }

  finish(id: TaskId, state: FinalState, result: Json): void {
    const task = this.#tasks.get(id);
    if (!task) throw new Error(`no task ${id}`);
    const failed = { code: 'handler_error', message: 'it broke' } as const;
    const status: StatusRecord = {
      state,
      result: state === 'succeeded' ? result : null,
      error: state === 'succeeded' ? null : failed,
      attempt: 1,
      worker: 'worker-1',
      startedAt: task.createdAt + 1,
      finishedAt: task.createdAt + 2,
    };
    this.put({ ...task, status });
  }

  wakeAll(): void {
    for (const wake of this.#watchers) wake();
  }

  /** Resolves when so many requests wait for a change. */
  async untilWatched(count = 1): Promise<void> {
    while (this.#watchers.size < count) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves when no request waits any more. */
  async untilUnwatched(): Promise<void> {
    while (this.#watchers.size > 0) await new Promise((resolve) => setImmediate(resolve));
  }
}
