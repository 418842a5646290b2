// The one implementation behind both faces: submit a task, ask for one, wait for its end. It holds no state but the
// requests that wait; everything else is in the store. What it throws are ServiceErrors.

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ServiceError } from '../../domain/errors.ts';
import type { TaskId, TaskRecord, TaskSpec } from '../../domain/task.ts';
import { type TaskSnapshot, type TaskView, taskView } from '../../domain/task-view.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import { serverLimits } from '../server-limits.ts';
import { taskNotFound } from './task-id.ts';
import type { TaskStore } from './task-store.ts';
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

/** What one look at a task brought; a null snapshot is no such task. */
type Look = { readonly snapshot: TaskSnapshot | null } | { readonly failure: unknown };

export class TaskApi {
  readonly #store: TaskStore;
  readonly #waits: Waits;

  constructor(store: TaskStore, waitsMax: number) {
    this.#store = store;
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

  /** Every request that waits gets the present state now, and so does each later one. */
  drain(): void {
    this.#waits.drain();
  }

  async submit(spec: TaskSpec, options: SubmitOptions): Promise<SubmittedTask> {
    // A place to wait is taken first: to refuse it once the task is committed would be too late.
    const wait = options.waitMs > 0 ? this.#waits.open(options.waitMs, options.signal) : null;
    try {
      const record = recordOf(spec, options.idempotencyKey);
      const { id, createdAt, created } = await this.#store.submit(record, options.fingerprint);
      const first = created ? newborn(id, record, createdAt) : await this.#readFirstOfKey(id);
      const last = wait ? await this.#followSubmitted(first, wait, options.signal) : first;
      return { task: taskView(last, Date.now()), created };
    } finally {
      wait?.close();
    }
  }

  /** Throws 'task-not-found'. */
  async get(id: TaskId, { waitMs, signal }: WaitOptions): Promise<TaskView> {
    const present = waitMs > 0 ? await this.#getFinal(id, waitMs, signal) : await this.#store.read(id);
    if (!present) throw taskNotFound(id);
    return taskView(present, Date.now());
  }

  async #getFinal(id: TaskId, waitMs: number, caller: AbortSignal): Promise<TaskSnapshot | null> {
    const first = await this.#look(id);
    if (isSettled(first)) return first.snapshot;
    const wait = this.#waits.open(waitMs, caller);
    try {
      return await this.#follow(id, first, wait, caller);
    } finally {
      wait.close();
    }
  }

  /** The commit is a fact by now: whatever fails while waiting, the answer is the task as far as it is known. */
  async #followSubmitted(first: TaskSnapshot, wait: Wait, caller: AbortSignal): Promise<TaskSnapshot> {
    try {
      return (await this.#follow(first.id, { snapshot: first }, wait, caller)) ?? first;
    } catch (error) {
      if (isUnavailable(error)) return first;
      throw error;
    }
  }

  /**
   * Looks again whenever the store says that it is worthwhile, until the task is final or the wait has ended; the last
   * look is after the end, so that the answer is the present state. Null: no such task. A store that cannot answer has
   * the rest of the wait to come back, since a reconnect mostly takes less; then its failure is thrown.
   */
  async #follow(id: TaskId, first: Look, wait: Wait, caller: AbortSignal): Promise<TaskSnapshot | null> {
    let look = first;
    while (!wait.signal.aborted && !isSettled(look)) {
      const askedAt = monotonicMs();
      await this.#store.changed(id, wait.signal);
      if (caller.aborted) break;
      look = await this.#look(id);
      if (!isSettled(look)) await restUntil(askedAt + serverLimits.lookIntervalMs, wait.signal);
    }
    if ('failure' in look) throw look.failure;
    return look.snapshot;
  }

  async #look(id: TaskId): Promise<Look> {
    try {
      return { snapshot: await this.#store.read(id) };
    } catch (error) {
      if (isUnavailable(error)) return { failure: error };
      throw error;
    }
  }

  async #readFirstOfKey(id: TaskId): Promise<TaskSnapshot> {
    const snapshot = await this.#store.read(id);
    if (snapshot) return snapshot;
    // A key goes in the transaction that removes its task, so a repetition finds neither.
    throw new ServiceError(
      'coordination-unavailable',
      'The first task of this idempotency key was just being removed; nothing was submitted, repeat the request.',
    );
  }
}

function recordOf(spec: TaskSpec, idempotencyKey: string | null): TaskRecord {
  return { ...spec, submitId: randomUUID(), submittedAt: Date.now(), idempotencyKey, retryOf: null };
}

/** The task as it is at the moment of its commit, known without a read. */
function newborn(id: TaskId, record: TaskRecord, createdAt: number): TaskSnapshot {
  return { id, record, createdAt, status: null, attempts: [], assignment: null };
}

/** True when no later look can bring anything else. */
function isSettled(look: Look): look is { readonly snapshot: TaskSnapshot | null } {
  return 'snapshot' in look && look.snapshot?.status !== null;
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ServiceError && error.reason === 'coordination-unavailable';
}

/** Keeps a store that answers "look again" without end from being asked without end. */
async function restUntil(time: number, signal: AbortSignal): Promise<void> {
  const restMs = time - monotonicMs();
  if (restMs <= 0 || signal.aborted) return;
  await pause(restMs, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
