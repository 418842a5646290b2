// The vocabulary of tasks: what a client asks for, what is stored, and what happened to it. Everybody speaks these
// types; how they look as bytes in a znode is coordination/znode-records.ts, how they look as JSON or protobuf is the
// gateway. Times are epoch milliseconds here and RFC 3339 outside.

declare const brand: unique symbol;

/** The name of a task's znode, `task-0000000042`. Opaque to clients; order by creation, never by it. */
export type TaskId = string & { readonly [brand]: 'TaskId' };
/** The name of a worker's znode. */
export type WorkerId = string & { readonly [brand]: 'WorkerId' };

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export const finalStates = ['succeeded', 'failed', 'cancelled'] as const;
export type FinalState = (typeof finalStates)[number];
/** `scheduled` waits for its time or its next attempt; `queued` waits for a worker. */
export const taskStates = ['scheduled', 'queued', 'running', ...finalStates] as const;
export type TaskState = (typeof taskStates)[number];

export type AttemptOutcome = 'succeeded' | 'failed' | 'timed_out' | 'lost';

/**
 * Codes of a task's or an attempt's error. `timeout`: the attempt took longer than its `timeoutMs`; `expired`: the task was not
 * finished by its deadline; `dependency_failed`: a task that it was to follow did not succeed.
 */
export const taskErrorCodes = [
  'handler_error',
  'exit_code',
  'signal',
  'timeout',
  'expired',
  'dependency_failed',
  'worker_lost',
  'invalid_task',
  'invalid_result',
  'cancelled',
] as const;
export type TaskErrorCode = (typeof taskErrorCodes)[number];

export interface TaskError {
  readonly code: TaskErrorCode;
  readonly message: string;
}

export interface Backoff {
  readonly type: 'exponential' | 'fixed';
  readonly delayMs: number;
  /** Cap on the exponential growth; null means none but that of `backoffDelayMsMax`. */
  readonly maxDelayMs: number | null;
  /** True: the real delay is drawn between half and the whole of the computed one. */
  readonly jitter: boolean;
}

/** A task that comes before: by its id, or by its place in the batch, which is before that of the task itself. */
export type Dependency = TaskId | number;

/**
 * What becomes of a task when one that it comes after did not succeed: it fails too, it runs nevertheless, or it waits until
 * a retry of that one has succeeded.
 */
export const afterFailures = ['fail', 'run', 'wait'] as const;
export type AfterFailure = (typeof afterFailures)[number];

/** What a task is to do and under which rules: a submit with its defaults filled in. */
export interface TaskSpec {
  readonly type: string;
  readonly payload: Json;
  readonly queue: string;
  /** -100 to 100, higher runs first. */
  readonly priority: number;
  /** Not before this time; null means at once. */
  readonly runAt: number | null;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly backoff: Backoff;
  readonly labels: Readonly<Record<string, string>>;
  readonly retentionMs: number;
  /** From the submit on; a task that is not finished by then fails, `expired`. Null: no deadline. */
  readonly deadlineMs: number | null;
  /** Tasks with the same key never run at the same time, and run in the order of their submission. */
  readonly exclusiveKey: string | null;
  /** Tasks that have to have succeeded before it may run. */
  readonly after: readonly Dependency[];
  readonly afterFailure: AfterFailure;
}

/** A task as it is kept in `/tasks/<id>`. */
export interface TaskRecord extends TaskSpec {
  /** Made by the submitter; finds the task again when the answer to its create was lost. Null for tasks made by hand. */
  readonly submitId: string | null;
  readonly submittedAt: number;
  readonly idempotencyKey: string | null;
  /** The task that this one runs again. */
  readonly retryOf: string | null;
  /** Its place, from 0, among the tasks that were submitted together; they share submit id and key. Null for a single one. */
  readonly batch: { readonly index: number; readonly size: number } | null;
  /** The schedule that made it. */
  readonly schedule: ScheduledBy | null;
}

export interface ScheduledBy {
  readonly name: string;
  /** The tick that it is for, epoch ms; null where somebody ran the schedule by hand. */
  readonly at: number | null;
}

/** One ended attempt, kept in `/tasks/<id>/attempt-<k>`. */
export interface AttemptRecord {
  /** From 1. */
  readonly attempt: number;
  readonly worker: string | null;
  readonly outcome: AttemptOutcome;
  readonly error: TaskError | null;
  readonly startedAt: number | null;
  readonly finishedAt: number;
  /** When the next attempt may start, jitter included; null where there is none. */
  readonly retryAt: number | null;
}

/** How a task ended, kept in `/tasks/<id>/status`, created once. */
export interface StatusRecord {
  readonly state: FinalState;
  readonly result: Json;
  readonly error: TaskError | null;
  readonly attempt: number;
  readonly worker: string | null;
  readonly startedAt: number | null;
  readonly finishedAt: number;
}

export interface Progress {
  readonly percent: number;
  readonly message: string | null;
}

/** Why a master wants a running attempt back: `expired` is the task's deadline, `timed_out` the attempt's `timeoutMs`. */
export const withdrawReasons = ['cancelled', 'expired', 'timed_out'] as const;
export type WithdrawReason = (typeof withdrawReasons)[number];

/** A run of a task on a worker, kept in `/assign/<worker>/<task>`. */
export interface AssignmentRecord {
  /** Null where a person made the assignment with empty data: the worker then works it out from the task. */
  readonly attempt: number | null;
  readonly startedAt: number | null;
  readonly withdraw: WithdrawReason | null;
  readonly progress: Progress | null;
}

/** What a registered worker says of itself in `/workers/<worker>`. */
export interface WorkerRecord {
  /** `host:port` of its admin endpoint, or whatever text a worker of somebody else's registered with. */
  readonly address: string;
  readonly concurrency: number;
  /** Handler types it runs; null means every type. */
  readonly types: readonly string[] | null;
  /** Queues it serves; null means every queue. */
  readonly queues: readonly string[] | null;
  /** True while it stops: it is given nothing more. */
  readonly draining: boolean;
}
