// What a master knows of one task and of one worker: facts as they stand in the tree, and beside them what the index and
// the planner note for themselves. Knowing that something is there without knowing yet what it says is a fact of its own.
// Pure.

import type {
  AssignmentRecord,
  AttemptRecord,
  StatusRecord,
  TaskId,
  TaskRecord,
  WorkerId,
  WorkerRecord,
} from './task.ts';

/** Of a task's record what deciding needs; payloads stay in the ensemble. */
export type TaskBrief = Pick<
  TaskRecord,
  'type' | 'queue' | 'priority' | 'runAt' | 'maxAttempts' | 'backoff' | 'retentionMs' | 'idempotencyKey' | 'batch'
>;

/** `newer`: written by a newer version of us, which will look after it. */
export type TaskContent = { kind: 'task'; brief: TaskBrief } | { kind: 'newer' } | { kind: 'invalid'; why: string };

export interface TaskFact {
  /** The transaction that created it; with `number` the order of creation. */
  readonly czxid: bigint;
  readonly number: number;
  readonly version: number;
  readonly content: TaskContent;
}

export interface AssignmentFact {
  readonly czxid: bigint;
  readonly version: number;
  readonly record: AssignmentRecord;
}

export interface WorkerFact {
  /** Assignments older than this were given to an earlier life of the worker. */
  readonly czxid: bigint;
  /** Grows with what it says of itself, that it is draining say. */
  readonly version: number;
  readonly record: WorkerRecord;
}

/** Present, but not read yet. */
export type Unread = 'unread';

export interface TaskEntry {
  readonly id: TaskId;
  fact: TaskFact | Unread | null;
  status: StatusRecord | Unread | null;
  /** When the ensemble created the status, epoch ms; 0 before it is read. */
  statusCreatedAt: number;
  readonly attempts: Map<number, AttemptRecord | Unread>;
  /** The reason given with the request to cancel. */
  cancel: { readonly reason: string } | Unread | null;
  readonly assignments: Map<WorkerId, AssignmentFact | Unread>;
  /** A decision about this task is being committed: it is not decided about again. */
  decided: boolean;
  /** Set aside until then after a refusal that should not have been, epoch ms. */
  deferredUntil: number;
  /** How often it was handed back without an outcome. */
  handBacks: number;
  /** When this master first saw the mark of withdrawal on its assignment, epoch ms; 0 before. */
  withdrawnAt: number;
  /** Where it stands in line, if it does. */
  place: Place | null;
  /** When it is looked at again by itself, epoch ms; 0: no alarm is set. */
  alarmAt: number;
}

/** A place in line. It keeps its own copy of the order, since a heap must not see its keys change. */
export interface Place {
  readonly entry: TaskEntry;
  /** Queue and type. */
  readonly group: string;
  readonly priority: number;
  readonly czxid: bigint;
  readonly number: number;
}

export interface WorkerEntry {
  readonly id: WorkerId;
  fact: WorkerFact | Unread | null;
  /** `/assign/<worker>` exists: before that it cannot be given anything. */
  reachable: boolean;
  /** It has been registered since we began to look. */
  wasPresent: boolean;
  /** What it is running or about to be given. */
  readonly tasks: Set<TaskId>;
}

export function newEntry(id: TaskId): TaskEntry {
  const facts = {
    fact: null,
    status: null,
    statusCreatedAt: 0,
    attempts: new Map(),
    cancel: null,
    assignments: new Map(),
  };
  return { id, ...facts, decided: false, deferredUntil: 0, handBacks: 0, withdrawnAt: 0, place: null, alarmAt: 0 };
}

/** When the next attempt may start (epoch ms): the last attempt's word, before it the task's own. */
export function notBeforeOf(entry: TaskEntry, brief: TaskBrief): number | Unread {
  let last = 0;
  for (const [attempt, record] of entry.attempts) {
    if (record === 'unread') return 'unread';
    last = Math.max(last, attempt);
  }
  const record = entry.attempts.get(last);
  return (record && record !== 'unread' ? record.retryAt : brief.runAt) ?? 0;
}
