// Facts as a master learns them, with everything that a test does not care about filled in.

import type {
  AssignmentRecord,
  AttemptRecord,
  StatusRecord,
  TaskId,
  WorkerId,
  WorkerRecord,
} from '../../../domain/task.ts';
import type { AssignmentFact, TaskBrief, TaskEntry, TaskFact, WorkerFact } from '../../../domain/task-entry.ts';
import type { TaskIndex } from '../../../domain/task-index.ts';

export function taskId(number: number): TaskId {
  return `task-${String(number).padStart(10, '0')}` as TaskId;
}

export function workerId(name: string): WorkerId {
  return name as WorkerId;
}

export function brief(options: Partial<TaskBrief> = {}): TaskBrief {
  return {
    type: 'echo',
    queue: 'default',
    priority: 0,
    runAt: null,
    timeoutMs: 3_600_000,
    deadlineAt: null,
    maxAttempts: 3,
    backoff: { type: 'fixed', delayMs: 1000, maxDelayMs: null, jitter: false },
    labels: {},
    retentionMs: 3_600_000,
    idempotencyKey: null,
    batch: null,
    retryOf: null,
    exclusiveKey: null,
    after: [],
    afterFailure: 'fail',
    schedule: null,
    ...options,
  };
}

/** `czxid` is the number too, unless given. */
export function taskFact(number: number, options: Partial<TaskBrief> = {}, fact: Partial<TaskFact> = {}): TaskFact {
  const content = { kind: 'task', brief: brief(options) } as const;
  return { czxid: BigInt(number), number, version: 0, createdAt: 0, content, ...fact };
}

export function workerFact(options: Partial<WorkerRecord> = {}, fact: Partial<WorkerFact> = {}): WorkerFact {
  const record = { address: 'host:1', concurrency: 1, types: null, queues: null, draining: false, ...options };
  return { czxid: 1n, version: 0, record, ...fact };
}

export function assignmentFact(
  record: Partial<AssignmentRecord> = {},
  fact: Partial<AssignmentFact> = {},
): AssignmentFact {
  const whole = { attempt: 1, startedAt: 1000, withdraw: null, progress: null, ...record };
  return { czxid: 100n, version: 0, createdAt: 1000, record: whole, ...fact };
}

export function attempt(number: number, options: Partial<AttemptRecord> = {}): AttemptRecord {
  const base = { worker: 'w', outcome: 'failed', startedAt: 1000, finishedAt: 2000, retryAt: null } as const;
  return { ...base, attempt: number, error: { code: 'handler_error', message: 'no' }, ...options };
}

export function status(options: Partial<StatusRecord> = {}): StatusRecord {
  const base = { state: 'succeeded', result: 'done', error: null, attempt: 1, worker: 'w' } as const;
  return { ...base, startedAt: 1000, finishedAt: 2000, ...options };
}

/** A worker that can be given tasks. */
export function addWorker(index: TaskIndex, name: string, options: Partial<WorkerRecord> = {}): WorkerId {
  const id = workerId(name);
  index.setReachable(id, true);
  index.setWorker(id, workerFact(options));
  return id;
}

export function addTask(index: TaskIndex, number: number, options: Partial<TaskBrief> = {}): TaskEntry {
  index.setTask(taskId(number), taskFact(number, options));
  return entryOf(index, number);
}

export function entryOf(index: TaskIndex, number: number): TaskEntry {
  const entry = index.tasks.get(taskId(number));
  if (!entry) throw new Error(`the index does not know task ${number}`);
  return entry;
}
