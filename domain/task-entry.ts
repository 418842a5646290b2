// What a master knows of one task and of one worker: facts as they stand in the tree, and beside them what the index and
// the planner note for themselves. Knowing that something is there without knowing yet what it says is a fact of its own.
// Pure.

import type { ListPosition } from './master-index.ts';
import type {
  AfterFailure,
  AssignmentRecord,
  AttemptRecord,
  StatusRecord,
  TaskId,
  TaskRecord,
  TaskState,
  WorkerId,
  WorkerRecord,
} from './task.ts';

/** Of a task's record what deciding needs; payloads stay in the ensemble. */
export interface TaskBrief
  extends Pick<
    TaskRecord,
    | 'type'
    | 'queue'
    | 'priority'
    | 'runAt'
    | 'timeoutMs'
    | 'maxAttempts'
    | 'backoff'
    | 'labels'
    | 'retentionMs'
    | 'idempotencyKey'
    | 'batch'
    | 'retryOf'
    | 'exclusiveKey'
    | 'afterFailure'
    | 'schedule'
  > {
  /** The tasks that it comes after, by their names. */
  readonly after: readonly TaskId[];
  /** Epoch ms; null: no deadline. */
  readonly deadlineAt: number | null;
}

/** What became of a task, without what it says of it: results stay in the ensemble. */
export type StatusBrief = Omit<StatusRecord, 'result' | 'error'>;
/** The same of an attempt. */
export type AttemptBrief = Omit<AttemptRecord, 'error'>;

/** `newer`: written by a newer version of us, which will look after it. */
export type TaskContent =
  | { kind: 'task'; brief: TaskBrief }
  | { kind: 'newer' }
  | { kind: 'invalid'; why: string }
  /** Made by hand: ZooKeeper lets it have no children, so no status. */
  | { kind: 'ephemeral' };

export interface TaskFact {
  /** The transaction that created it; with `number` the order of creation. */
  readonly czxid: bigint;
  readonly number: number;
  readonly version: number;
  /** By the ensemble's clock, epoch ms. */
  readonly createdAt: number;
  readonly content: TaskContent;
}

export interface AssignmentFact {
  readonly czxid: bigint;
  readonly version: number;
  /** By the clock of the ensemble, or of the master that has just made it, epoch ms. */
  readonly createdAt: number;
  readonly record: AssignmentRecord;
}

/** An assignment as a master keeps it, with what it has seen of it itself: by its uptime, ms, which no set clock changes. */
export interface HeldFact extends AssignmentFact {
  /** When the attempt began. */
  readonly began: number;
  /** When the mark of withdrawal was first seen; null while there is none. */
  readonly withdrawnAt: number | null;
  /** The same as people are told it, epoch ms. */
  readonly markedAt: number | null;
}

export interface WorkerFact {
  /** Assignments older than this were given to an earlier life of the worker. */
  readonly czxid: bigint;
  /** Grows with what it says of itself, that it is draining say. */
  readonly version: number;
  /** Null: a newer version of us wrote it. There it is, and is given nothing. */
  readonly record: WorkerRecord | null;
}

/** Present, but not read yet. */
export type Unread = 'unread';

/** A state as it was announced: enough to find it again in the history of the task. */
export interface Announced {
  readonly state: TaskState;
  readonly attempt: number;
  readonly startedAt: number | null;
}

export interface TaskEntry {
  readonly id: TaskId;
  fact: TaskFact | Unread | null;
  /** We may not read its data, and so shall not soon. */
  forbidden: boolean;
  /** Of something below it the same, or a newer version of us wrote it: it is `unread` for long. */
  partUnreadable: 'forbidden' | 'newer' | null;
  status: StatusBrief | Unread | null;
  /** When the ensemble created the status, epoch ms; 0 before it is read. */
  statusCreatedAt: number;
  attempts: ReadonlyMap<number, AttemptBrief | Unread>;
  /** When it was let go by those that it comes after, by the ensemble's clock, epoch ms; null where it was not. */
  unblockedAt: number | Unread | null;
  /** The reason given with the request to cancel. */
  cancel: { readonly reason: string } | Unread | null;
  assignments: ReadonlyMap<WorkerId, HeldFact | Unread>;
  /** A decision about this task is being committed: it is not decided about again. */
  decided: boolean;
  /** The worker that this decision gives it to, as long as the assignment has not been seen. */
  assigning: WorkerId | null;
  /** Set aside until then after a refusal that should not have been, by uptime, ms; 0: it is not, or not any more. */
  deferredUntil: number;
  /** Given to nobody until then, since it was handed back again and again, in the same way. */
  pausedUntil: number;
  /** Its status has just gone, and mostly the task goes with it: until then it is not known what it is; in the same way. */
  goneUntil: number;
  /** The schedule that made it, while it is known to be unfinished. */
  unfinishedOf: string | null;
  /** How often it was handed back without an outcome. */
  handBacks: number;
  /** Where it stands in line, if it does. */
  place: Place | null;
  /** When it is looked at again by itself, epoch ms; 0: no alarm is set. */
  alarmAt: number;
  /** The same by uptime, ms: a run that should have ended by then. */
  reviewAt: number;
  /** Its place in the order of creation; null before its data has been read, and when it is gone. */
  position: ListPosition | null;
  /** Its queue, the last one known: a task that is deleted under its run keeps its slot. */
  queue: string | null;
  /** Its exclusive key, in the same way: until its run is over the key stays taken. */
  exclusiveKey: string | null;
  /** As one that has its key or waits for it. */
  keyPlace: KeyPlace | null;
  /** To tasks that have to let it go; null where there are none (any more). */
  links: Links | null;
  /** How the counts have it: `unclear` is unfinished, and what else it is has not been read yet; null: it is no task. */
  countedState: TaskState | 'unclear' | null;
  countedQueue: string | null;
  /** It takes up a slot of its queue: it is assigned, or is about to be. `unknown`: of which queue has not been read yet. */
  countedSlot: 'known' | 'unknown' | null;
  /** Since when it waits for a worker, epoch ms; null while it does not. */
  queuedSince: number | null;
  /** As it stands in the lines of those that are to go (retention.ts); null where it does in none. */
  retained: Retained | null;
  /** The last state that was announced; null: none yet. */
  announced: Announced | null;
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

/** A finished task as one that is to go, in epoch ms. One that was kept back for others comes a second time. */
export interface Retained {
  readonly entry: TaskEntry;
  /** Not before then, whatever else says so. */
  readonly removableAt: number;
  readonly expiresAt: number;
}

/** What a task has to do with an exclusive key. It keeps its own copy of the order. */
export interface KeyPlace {
  readonly entry: TaskEntry;
  readonly id: TaskId;
  readonly key: string;
  /** Null: it does not stand in line. */
  readonly position: ListPosition | null;
  /** It is assigned, or is about to be. */
  readonly holds: boolean;
}

/** What ties a task to those that have to let it go before it may run. */
export interface Links {
  readonly after: readonly TaskId[];
  readonly afterFailure: AfterFailure;
  /** Its own. */
  readonly number: number;
  /** How many of them it still waits for. */
  unmet: number;
  /** How many of these may have to wait for a task that is still to come, or are such a one. */
  later: number;
  /** How many let it fail. */
  failed: number;
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

/** At most times most tasks have neither attempts nor assignments: they share an empty map, which is never written to. */
const none = new Map<never, never>();

/** `map` with the value, to be kept in its place. */
export function withValue<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return map === noValues() ? new Map([[key, value]]) : (map as Map<K, V>).set(key, value);
}

/** `map` without the key, to be kept in its place. */
export function withoutKey<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (map !== noValues()) (map as Map<K, V>).delete(key);
  return map.size === 0 ? noValues() : map;
}

export function noValues<K, V>(): ReadonlyMap<K, V> {
  return none as ReadonlyMap<K, V>;
}

export function newEntry(id: TaskId): TaskEntry {
  return {
    id,
    fact: null,
    forbidden: false,
    partUnreadable: null,
    status: null,
    statusCreatedAt: 0,
    attempts: noValues(),
    unblockedAt: null,
    cancel: null,
    assignments: noValues(),
    decided: false,
    assigning: null,
    deferredUntil: 0,
    pausedUntil: 0,
    goneUntil: 0,
    unfinishedOf: null,
    handBacks: 0,
    place: null,
    alarmAt: 0,
    reviewAt: 0,
    position: null,
    queue: null,
    exclusiveKey: null,
    keyPlace: null,
    links: null,
    countedState: null,
    countedQueue: null,
    countedSlot: null,
    queuedSince: null,
    retained: null,
    announced: null,
  };
}

/** Of a task whose data says what is to be done; null for others. */
export function briefOf({ fact }: TaskEntry): TaskBrief | null {
  return fact !== null && fact !== 'unread' && fact.content.kind === 'task' ? fact.content.brief : null;
}
