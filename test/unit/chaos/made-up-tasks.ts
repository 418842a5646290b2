// Tasks in a made-up tree, to which happens what masters, workers and gateways do to them, each time in one transaction. For tests of the judge.

import type { SeenTask, SubmittedTask } from '../../../chaos/record.ts';
import { keyPaths } from '../../../coordination/key-paths.ts';
import { decodeTask, defaultTaskOptions, encodeTask } from '../../../coordination/task-record.ts';
import { paths } from '../../../coordination/znode-paths.ts';
import {
  decodeAttempt,
  decodeStatus,
  encodeAssignment,
  encodeAttempt,
  encodeKey,
  encodeStatus,
  encodeWorker,
} from '../../../coordination/znode-records.ts';
import type { AttemptRecord, Dependency, Json, TaskId, TaskRecord, WorkerId } from '../../../domain/task.ts';
import { taskIdOf } from '../../../domain/task-id.ts';
import { type EndEvent, recordsOf } from '../../../domain/task-machine.ts';
import { deadlineOf, taskView } from '../../../domain/task-view.ts';
import { MadeUpTree } from './made-up-tree.ts';

export interface Assigned {
  readonly id: TaskId;
  readonly worker: WorkerId;
  readonly attempt: number;
  readonly token: bigint;
  readonly startedAt: number;
}

export type Spec = SubmittedTask & Partial<Pick<TaskRecord, 'afterFailure' | 'retryOf' | 'backoff'>>;

const bootEpochMs = Date.parse('2026-01-01T00:00:00.000Z');

export class MadeUpTasks {
  /** The clock of the record. */
  at = 1000;
  readonly tree = new MadeUpTree();
  readonly #holders = new Map<TaskId, WorkerId>();
  #made = 0;

  register(worker: string): void {
    const address = '127.0.0.1:1';
    const data = encodeWorker({ address, concurrency: 16, types: null, queues: null, draining: false });
    this.tree.begin();
    this.tree.create(paths.worker(worker as WorkerId), data, this.epochMs, 2n);
    this.tree.create(paths.assignments(worker as WorkerId), '', this.epochMs);
  }

  get epochMs(): number {
    return bootEpochMs + this.at;
  }

  pass(ms: number): void {
    this.at += ms;
  }

  // ---------------------------------------------------------------- what gateways do

  /** In one transaction, with the key where there is one. */
  make(specs: readonly Spec[], key: string | null = null): TaskId[] {
    const submitId = `submit of ${this.tree.begin()}`;
    if (key !== null) {
      const { bucket, path } = keyPaths(key);
      if (!this.tree.snapshot.has(bucket)) this.tree.create(bucket, '', this.epochMs);
      const record = { fingerprint: key, submitId, nextNumber: this.#made };
      this.tree.create(path, encodeKey(record), this.epochMs);
    }
    return specs.map((spec, index) => {
      const id = taskIdOf(this.#made);
      this.#made += 1;
      const batch = specs.length > 1 ? { index, size: specs.length } : null;
      this.tree.create(paths.task(id), encodeTask({ ...this.#recordOf(spec, key), submitId, batch }), this.epochMs);
      return id;
    });
  }

  #recordOf(spec: Spec, idempotencyKey: string | null): Omit<TaskRecord, 'submitId' | 'batch'> {
    const { marker, delayMs = 0, payload, after = [], ...options } = spec;
    const origin = { submittedAt: this.epochMs, idempotencyKey, retryOf: null, schedule: null };
    const runAt = delayMs > 0 ? this.epochMs + delayMs : null;
    const own = { labels: { marker }, payload: (payload ?? null) as Json, after: after as Dependency[], runAt };
    return { ...defaultTaskOptions, ...origin, ...options, ...own };
  }

  requestCancel(id: string): void {
    this.tree.begin();
    this.tree.create(paths.cancel(id as TaskId), 'no use', this.epochMs);
  }

  delete(task: string): void {
    const id = task as TaskId;
    this.tree.begin();
    const { idempotencyKey, batch } = this.recordOf(id);
    this.tree.remove(paths.task(id));
    if (idempotencyKey !== null && batch === null) this.tree.remove(keyPaths(idempotencyKey).path);
  }

  // ---------------------------------------------------------------- what masters and workers do

  assign(id: string, worker: string): Assigned {
    const task = { id: id as TaskId, worker: worker as WorkerId };
    const attempt = this.#attemptsOf(task.id).length + 1;
    const startedAt = this.epochMs;
    const token = this.tree.begin();
    const data = encodeAssignment({ attempt, startedAt, withdraw: null, progress: null });
    this.tree.create(paths.assignment(task.worker, task.id), data, startedAt);
    this.#holders.set(task.id, task.worker);
    return { ...task, attempt, token, startedAt };
  }

  unblock(id: string): void {
    this.tree.begin();
    this.tree.create(paths.unblocked(id as TaskId), '', this.epochMs);
  }

  handBack(run: Assigned): void {
    this.tree.begin();
    this.#release(run);
  }

  #release({ id, worker }: Pick<Assigned, 'id' | 'worker'>): void {
    this.tree.remove(paths.assignment(worker, id));
    this.#holders.delete(id);
  }

  /** With what the handlers of a chaos run return. */
  succeed({ token, attempt, ...run }: Assigned, pid: number): void {
    this.end({ ...run, token, attempt }, { kind: 'succeeded', result: { token: String(token), attempt, pid } });
  }

  /** `lost` where the worker is gone. */
  lose(run: Assigned): void {
    this.end(run, { kind: 'worker_lost', lostBefore: 0, cancel: null });
  }

  end({ id, worker, attempt, startedAt }: Assigned, event: EndEvent, byForce = false): void {
    const path = paths.task(id);
    this.tree.begin();
    if (byForce) this.tree.set(path, this.tree.data(path));
    this.#leave(id, event, { attempt, worker, startedAt, finishedAt: this.epochMs });
    this.#release({ id, worker });
  }

  /** Of a task that waits. */
  endWaiting(task: string, event: EndEvent): void {
    const id = task as TaskId;
    this.tree.begin();
    const attempt = this.#attemptsOf(id).length;
    this.#leave(id, event, { attempt, worker: null, startedAt: null, finishedAt: this.epochMs });
  }

  #leave(id: TaskId, event: EndEvent, at: Parameters<typeof recordsOf>[1]): void {
    const record = this.recordOf(id);
    const { status, attempt } = recordsOf(event, at, { ...record, deadlineAt: deadlineOf(record) }, 0.5);
    if (status) this.tree.create(paths.status(id), encodeStatus(status), this.epochMs);
    if (attempt) this.tree.create(paths.attempt(id, attempt.attempt), encodeAttempt(attempt), this.epochMs);
  }

  // ---------------------------------------------------------------- what can be seen

  recordOf(id: TaskId): TaskRecord {
    const reading = decodeTask(this.tree.data(paths.task(id)), this.epochMs);
    if (reading.kind !== 'task') throw new Error(`${id} is no task`);
    return reading.record;
  }

  /** As an answer shows it. */
  seen(task: string): SeenTask {
    const id = task as TaskId;
    const { snapshot } = this.tree;
    const worker = this.#holders.get(id);
    const status = snapshot.get(paths.status(id));
    const record = { attempt: this.#attemptsOf(id).length + 1, startedAt: 0, withdraw: null, progress: null };
    const view = taskView(
      {
        ...{ id, record: this.recordOf(id), createdAt: 0, cancelRequested: false },
        unblockedAt: snapshot.has(paths.unblocked(id)) ? 0 : null,
        status: status ? decodeStatus(status.data, 0) : null,
        attempts: this.#attemptsOf(id),
        assignment: worker ? { worker, record } : null,
      },
      this.epochMs,
    );
    const finishedAt = view.finishedAt === null ? null : new Date(view.finishedAt).toISOString();
    const { state, attempt, error } = view;
    return { id, state, attempt, worker: view.worker, errorCode: error?.code ?? null, finishedAt };
  }

  #attemptsOf(id: TaskId): AttemptRecord[] {
    const { snapshot } = this.tree;
    const attempts: AttemptRecord[] = [];
    for (let k = 1; snapshot.has(paths.attempt(id, k)); k += 1) {
      attempts.push(decodeAttempt(this.tree.data(paths.attempt(id, k)), k, 0));
    }
    return attempts;
  }
}
