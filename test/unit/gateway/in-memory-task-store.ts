// A TaskStore in memory, for tests of what the gateway makes of requests and answers. It stands for no ZooKeeper: what
// the real store promises is tested on a real ensemble elsewhere.

import { DependencyNotFound, outsideDependencies } from '../../../coordination/task-dependencies.ts';
import { ServiceError } from '../../../domain/errors.ts';
import type { QueueSettings } from '../../../domain/queue-settings.ts';
import { defaultQueueSettings } from '../../../domain/queue-settings.ts';
import type { FinalState, Json, StatusRecord, TaskError, TaskId, TaskRecord } from '../../../domain/task.ts';
import type { TaskSnapshot } from '../../../domain/task-view.ts';
import type { Submitted, SubmittedBatch, TaskStore } from '../../../gateway/api/task-store.ts';
import { serviceErrorOf } from '../../../gateway/store/store-errors.ts';

export class InMemoryTaskStore implements TaskStore {
  ready = true;
  /** Thrown by the next submits and reads until it is null again. */
  failure: ServiceError | null = null;
  /** Ids and records as they arrived. */
  readonly submitted: TaskRecord[] = [];
  reads = 0;
  /** What `read` shows instead of what is there: an older picture. */
  readonly shown = new Map<TaskId, TaskSnapshot>();
  /** In order of creation. */
  readonly tasks = new Map<TaskId, TaskSnapshot>();
  readonly queues = new Map<string, QueueSettings>();
  readonly #keys = new Map<string, { id: TaskId; fingerprint: string | null }>();
  readonly #watchers = new Set<() => void>();
  readonly #listeners = new Set<() => void>();
  #created = 0;

  get watchers(): number {
    return this.#watchers.size + this.#listeners.size;
  }

  async submit(record: TaskRecord, fingerprint: string | null): Promise<Submitted> {
    if (this.failure) throw this.failure;
    const first = record.idempotencyKey === null ? undefined : this.#keys.get(record.idempotencyKey);
    if (first) {
      if (first.fingerprint !== fingerprint) throw new ServiceError('idempotency-key-reused', 'Another request.');
      return { id: first.id, createdAt: record.submittedAt, created: false };
    }
    this.#requireDependencies(record);
    const id = idOf(this.#created);
    this.#created += 1;
    if (record.idempotencyKey !== null) this.#keys.set(record.idempotencyKey, { id, fingerprint });
    this.submitted.push(record);
    this.put({
      id,
      record,
      createdAt: record.submittedAt,
      unblockedAt: null,
      cancelRequested: false,
      status: null,
      attempts: [],
      assignment: null,
    });
    return { id, createdAt: record.submittedAt, created: true };
  }

  async submitBatch(records: readonly TaskRecord[], fingerprint: string | null): Promise<SubmittedBatch> {
    if (this.failure) throw this.failure;
    const key = records[0]?.idempotencyKey ?? null;
    const first = key === null ? null : await this.findByKey(key, fingerprint ?? '');
    if (first) {
      const place = Number(first.id.slice('task-'.length));
      const ids = records.map((_, i) => idOf(place + i)).filter((id) => this.tasks.has(id));
      return { ids, createdAt: first.createdAt, created: false };
    }
    for (const record of records) this.#requireDependencies(record);
    const ids: TaskId[] = [];
    for (const record of records) ids.push((await this.submit({ ...record, idempotencyKey: null }, null)).id);
    const [firstId] = ids;
    if (key !== null && firstId) this.#keys.set(key, { id: firstId, fingerprint });
    return { ids, createdAt: records[0]?.submittedAt ?? 0, created: true };
  }

  #requireDependencies(record: TaskRecord): void {
    for (const dependency of outsideDependencies([record])) {
      if (!this.tasks.has(dependency.task)) throw serviceErrorOf(new DependencyNotFound(dependency));
    }
  }

  async findByKey(idempotencyKey: string, fingerprint: string): Promise<Submitted | null> {
    if (this.failure) throw this.failure;
    const first = this.#keys.get(idempotencyKey);
    if (!first) return null;
    if (first.fingerprint !== fingerprint) throw new ServiceError('idempotency-key-reused', 'Another request.');
    return { id: first.id, createdAt: this.tasks.get(first.id)?.createdAt ?? 0, created: false };
  }

  watch(_id: TaskId, listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async cancel(id: TaskId, reason: string): Promise<boolean> {
    if (this.failure) throw this.failure;
    const task = this.tasks.get(id);
    if (!task) return false;
    this.finish(id, 'cancelled', null, { code: 'cancelled', message: reason });
    return true;
  }

  async remove(id: TaskId): Promise<'removed' | 'not final' | 'no such task'> {
    if (this.failure) throw this.failure;
    const task = this.tasks.get(id);
    if (!task) return 'no such task';
    if (!task.status) return 'not final';
    this.forget(id);
    return 'removed';
  }

  async readQueue(name: string): Promise<QueueSettings> {
    if (this.failure) throw this.failure;
    return this.queues.get(name) ?? defaultQueueSettings;
  }

  async updateQueue(name: string, change: Partial<QueueSettings>): Promise<QueueSettings> {
    if (this.failure) throw this.failure;
    const settings = { ...defaultQueueSettings, ...this.queues.get(name), ...change };
    this.queues.set(name, settings);
    return settings;
  }

  async read(id: TaskId): Promise<TaskSnapshot | null> {
    this.reads += 1;
    if (this.failure) throw this.failure;
    return this.shown.get(id) ?? this.tasks.get(id) ?? null;
  }

  async readEnd(id: TaskId): Promise<TaskSnapshot | null> {
    const task = await this.read(id);
    return task && { ...task, assignment: null };
  }

  async readFresh(id: TaskId): Promise<TaskSnapshot | null> {
    this.shown.delete(id);
    return await this.read(id);
  }

  changed(id: TaskId, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.tasks.get(id)?.status) {
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
    this.tasks.set(snapshot.id, snapshot);
    this.wakeAll();
  }

  forget(id: TaskId): void {
    this.tasks.delete(id);
    this.wakeAll();
  }

  finish(
    id: TaskId,
    state: FinalState,
    result: Json,
    failed: TaskError = { code: 'handler_error', message: 'it broke' },
  ): void {
    const task = this.tasks.get(id);
    if (!task) throw new Error(`no task ${id}`);
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
    for (const wake of [...this.#watchers, ...this.#listeners]) wake();
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

function idOf(number: number): TaskId {
  return `task-${String(number).padStart(10, '0')}` as TaskId;
}
