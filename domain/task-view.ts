// The Task resource: what a client sees of a task, computed from what is stored about it. Pure; HTTP and gRPC both
// render exactly this.

import type {
  AfterFailure,
  AssignmentRecord,
  AttemptRecord,
  Json,
  Progress,
  ScheduledBy,
  StatusRecord,
  TaskError,
  TaskId,
  TaskRecord,
  TaskState,
  WorkerId,
} from './task.ts';
import { dependenciesOf } from './task-id.ts';

/** Everything the ensemble knows of one task at one moment. */
export interface TaskSnapshot {
  readonly id: TaskId;
  /** What to do; null where the data is no task of ours and never will be (it ends as failed, `invalid_task`). */
  readonly record: TaskRecord | null;
  /** When its znode was created, by the server's clock. */
  readonly createdAt: number;
  /** When it was let go by the tasks that it comes after, by the server's clock; null where it was not, or comes after none. */
  readonly unblockedAt: number | null;
  /** Somebody has asked for it to be cancelled. */
  readonly cancelRequested: boolean;
  readonly status: StatusRecord | null;
  /** Ended attempts in order. */
  readonly attempts: readonly AttemptRecord[];
  readonly assignment: { readonly worker: WorkerId; readonly record: AssignmentRecord } | null;
}

/** An ended attempt as clients see it: when the next one may start is the scheduler's. */
export type AttemptView = Omit<AttemptRecord, 'retryAt'>;

/** The Task resource (contract section 3); times in epoch milliseconds, null where there is no value. */
export interface TaskView {
  readonly id: TaskId;
  readonly type: string | null;
  readonly queue: string | null;
  readonly state: TaskState;
  readonly payload: Json;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Of the running attempt, or of the one that the task ended with; null between attempts. `startedAt` likewise. */
  readonly worker: string | null;
  readonly progress: Progress | null;
  readonly submittedAt: number;
  readonly runAt: number | null;
  /** When the next attempt may start, while the task is scheduled and waits for nothing but that time. */
  readonly nextAttemptAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly result: Json;
  readonly error: TaskError | null;
  readonly attempts: readonly AttemptView[];
  readonly retryOf: string | null;
  /** Not finished by then, it fails. */
  readonly deadlineAt: number | null;
  readonly exclusiveKey: string | null;
  readonly after: readonly TaskId[];
  readonly afterFailure: AfterFailure;
  readonly schedule: ScheduledBy | null;
}

/** The state of a task at `now`. The order of the questions is the rule: a status beats an assignment beats a time. */
export function taskStateAt(snapshot: TaskSnapshot, now: number): TaskState {
  if (snapshot.status) return snapshot.status.state;
  if (snapshot.assignment) return 'running';
  return notBefore(snapshot) > now ? 'scheduled' : 'queued';
}

/**
 * False for another task of the same name: where somebody has removed `/tasks`, numbers begin anew. Told by what only one submit
 * has, and of tasks that have no such thing by when they were made.
 */
export function isSameTask(a: TaskSnapshot, b: TaskSnapshot): boolean {
  const [submit, other] = [a.record?.submitId ?? null, b.record?.submitId ?? null];
  return submit !== null && other !== null ? submit === other : a.createdAt === b.createdAt;
}

/** The earliest time at which the next attempt may start; 0 where nothing holds it back, Infinity where other tasks do. */
export function notBefore({ record, attempts, unblockedAt }: TaskSnapshot): number {
  return earliestStart(attempts.at(-1)?.retryAt ?? null, record, unblockedAt);
}

/** Null in every other state than scheduled, and while other tasks hold it back: nobody knows how long they will. */
function nextAttemptAt(snapshot: TaskSnapshot, now: number): number | null {
  if (taskStateAt(snapshot, now) !== 'scheduled') return null;
  const start = notBefore(snapshot);
  return start === Infinity ? null : start;
}

/** `retryAt` is the last attempt's word. Before the first attempt the task's own time counts, and that of those it comes after. */
export function earliestStart(
  retryAt: number | null,
  task: { readonly runAt: number | null; readonly after: readonly unknown[] } | null,
  unblockedAt: number | null,
): number {
  if (retryAt !== null) return retryAt;
  const letGoAt = task && task.after.length > 0 ? (unblockedAt ?? Infinity) : 0;
  return Math.max(task?.runAt ?? 0, letGoAt);
}

/** By those that it comes after, or it came after none. A person may have assigned it all the same, which a run tells that began. */
export function wasLetGo({ record, unblockedAt, attempts, status }: TaskSnapshot): boolean {
  return (
    record?.after.length === 0 || unblockedAt !== null || attempts.length > 0 || (status?.startedAt ?? null) !== null
  );
}

/** Epoch ms; null: it has no deadline. */
export function deadlineOf(record: Pick<TaskRecord, 'submittedAt' | 'deadlineMs'> | null): number | null {
  return record?.deadlineMs == null ? null : record.submittedAt + record.deadlineMs;
}

export function taskView(snapshot: TaskSnapshot, now: number): TaskView {
  const { record, status, assignment } = snapshot;
  const attempts = attemptViews(snapshot);
  const last = attempts.at(-1);
  return {
    id: snapshot.id,
    type: record?.type ?? null,
    queue: record?.queue ?? null,
    state: taskStateAt(snapshot, now),
    payload: record?.payload ?? null,
    priority: record?.priority ?? 0,
    labels: record?.labels ?? {},
    attempt: status?.attempt ?? assignment?.record.attempt ?? last?.attempt ?? 0,
    maxAttempts: record?.maxAttempts ?? 1,
    worker: status?.worker ?? assignment?.worker ?? null,
    progress: assignment?.record.progress ?? null,
    submittedAt: record?.submittedAt ?? snapshot.createdAt,
    runAt: record?.runAt ?? null,
    nextAttemptAt: nextAttemptAt(snapshot, now),
    startedAt: status ? status.startedAt : (assignment?.record.startedAt ?? null),
    finishedAt: status?.finishedAt ?? null,
    result: status?.result ?? null,
    error: status?.error ?? null,
    attempts,
    retryOf: record?.retryOf ?? null,
    deadlineAt: deadlineOf(record),
    exclusiveKey: record?.exclusiveKey ?? null,
    after: record ? dependenciesOf(snapshot.id, record) : [],
    afterFailure: record?.afterFailure ?? 'fail',
    schedule: record?.schedule ?? null,
  };
}

/** The recorded attempts, and the one that the status itself tells of where it has no record of its own. */
function attemptViews({ attempts, status }: TaskSnapshot): AttemptView[] {
  const views = attempts.map(({ retryAt: _, ...view }) => view);
  if (status?.state === 'succeeded' && !views.some((view) => view.attempt === status.attempt)) {
    views.push({
      attempt: status.attempt,
      worker: status.worker,
      outcome: 'succeeded',
      error: null,
      startedAt: status.startedAt,
      finishedAt: status.finishedAt,
    });
  }
  return views;
}
