// What a master, leading or standby, says of everything that it knows, over its admin endpoint: lines of JSON, so that it can be compared
// with the tree. Other than the index (master-index.ts) it is no answer to gateways, and may lag behind by what is on its way. What
// the present state of a task follows from is there, not what tasks say. Pure.

import { lastAttemptOf, stateOf } from './entry-state.ts';
import type { QueueSettings } from './queue-settings.ts';
import type { FinalState, TaskId, TaskState, WithdrawReason, WorkerId } from './task.ts';
import { briefOf, type TaskContent, type TaskEntry, type Unread, type WorkerEntry } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';

/** Asked without parameters. 503 where the picture is not complete and current, or too many ask at a time. */
export const picturePath = '/index/v1/picture';

export type PictureLine =
  /** First; `now`, epoch ms, is the time that states are told of. */
  | { readonly kind: 'start'; readonly leading: boolean; readonly now: number; readonly sums: PictureSums }
  | { readonly kind: 'worker'; readonly worker: PictureWorker }
  | { readonly kind: 'queue'; readonly name: string; readonly settings: QueueSettings }
  | { readonly kind: 'task'; readonly task: PictureTask }
  /** Last: whoever does not get it has not got all. */
  | { readonly kind: 'end' };

/** As counted while tasks come and go, which is to be what counting the lines comes to. */
export interface PictureSums {
  readonly states: Readonly<Record<TaskState, number>>;
  /** By queue the tasks that are not final; only of queues that have any. */
  readonly queues: Readonly<Record<string, number>>;
}

export interface PictureWorker {
  readonly id: WorkerId;
  /** Null: it is not registered. */
  readonly registered:
    | Unread
    | { readonly czxid: string; readonly version: number; readonly concurrency: number }
    | null;
  /** It has a place where it can be given tasks. */
  readonly reachable: boolean;
  /** What takes up a slot of it though no assignment is known, nor about to be made: nothing, or the master has lost count. */
  readonly strays: readonly TaskId[];
}

export interface PictureTask {
  readonly id: TaskId;
  /** Null: there is no such task, and something of it is left. */
  readonly fact: Unread | PictureFact | null;
  /** Null where that is not known at the moment. */
  readonly state: TaskState | null;
  readonly status:
    | Unread
    | { readonly state: FinalState; readonly attempt: number; readonly worker: string | null }
    | null;
  /** Numbers of those that have ended, in order. */
  readonly attempts: readonly number[];
  /** When the last of them lets another begin. */
  readonly retryAt: number | null;
  readonly cancel: boolean;
  readonly unblocked: boolean;
  /** By the names of the workers. */
  readonly assignments: readonly PictureAssignment[];
  /** Something about it is being committed. */
  readonly decided: boolean;
}

export interface PictureFact {
  readonly czxid: string;
  readonly version: number;
  readonly content: TaskContent['kind'];
  /** Null where it is no task. */
  readonly type: string | null;
  readonly queue: string | null;
  readonly priority: number | null;
  readonly exclusiveKey: string | null;
}

export interface PictureAssignment {
  readonly worker: WorkerId;
  /** Null: not read yet. */
  readonly czxid: string | null;
  readonly version: number | null;
  readonly attempt: number | null;
  readonly withdraw: WithdrawReason | null;
  /** It takes up a slot of its worker: always, or the master has lost count. */
  readonly counted: boolean;
}

/** Others may change the index between two lines; what comes is told, what goes is not. */
export function* pictureLines(index: TaskIndex, leading: boolean, now: number): Generator<PictureLine> {
  yield { kind: 'start', leading, now, sums: sumsOf(index) };
  for (const worker of index.workers.values()) yield { kind: 'worker', worker: pictureWorkerOf(index, worker) };
  for (const name of index.queues.names()) {
    yield { kind: 'queue', name, settings: index.queues.settingsOf(name) };
  }
  for (const entry of index.tasks.values()) yield { kind: 'task', task: pictureTaskOf(index, entry, now) };
  yield { kind: 'end' };
}

function sumsOf({ states: { counts } }: TaskIndex): PictureSums {
  const unfinished = [...counts.queues].map(
    ([name, { scheduled, queued, running }]) => [name, scheduled + queued + running] as const,
  );
  return { states: { ...counts.states }, queues: Object.fromEntries(unfinished.filter(([, count]) => count > 0)) };
}

function pictureWorkerOf(index: TaskIndex, { id, fact, reachable, tasks }: WorkerEntry): PictureWorker {
  const isStray = (task: TaskId) => {
    const entry = index.tasks.get(task);
    return entry?.assigning !== id && !entry?.assignments.has(id);
  };
  const strays = [...tasks].filter(isStray).sort();
  if (fact === null || fact === 'unread') return { id, registered: fact, reachable, strays };
  const { czxid, version, record } = fact;
  const registered = { czxid: String(czxid), version, concurrency: record?.concurrency ?? 0 };
  return { id, registered, reachable, strays };
}

function pictureTaskOf(index: TaskIndex, entry: TaskEntry, now: number): PictureTask {
  const { id, status, attempts, cancel, unblockedAt, decided } = entry;
  const last = lastAttemptOf(entry);
  return {
    id,
    fact: factOf(entry),
    state: stateOf(entry, now),
    status:
      status === null || status === 'unread'
        ? status
        : { state: status.state, attempt: status.attempt, worker: status.worker },
    attempts: [...attempts.keys()].sort((a, b) => a - b),
    retryAt: last === 'unread' ? null : (last?.retryAt ?? null),
    cancel: cancel !== null,
    unblocked: unblockedAt !== null,
    assignments: assignmentsOf(index, entry),
    decided,
  };
}

function factOf(entry: TaskEntry): PictureTask['fact'] {
  const { fact } = entry;
  if (fact === null || fact === 'unread') return fact;
  const { type = null, queue = null, priority = null, exclusiveKey = null } = briefOf(entry) ?? {};
  const { czxid, version, content } = fact;
  return { czxid: String(czxid), version, content: content.kind, type, queue, priority, exclusiveKey };
}

function assignmentsOf(index: TaskIndex, { id, assignments }: TaskEntry): PictureAssignment[] {
  const told = [...assignments].map(([worker, fact]): PictureAssignment => {
    const counted = index.workers.get(worker)?.tasks.has(id) === true;
    if (fact === 'unread') return { worker, czxid: null, version: null, attempt: null, withdraw: null, counted };
    const { attempt, withdraw } = fact.record;
    return { worker, czxid: String(fact.czxid), version: fact.version, attempt, withdraw, counted };
  });
  return told.sort((a, b) => (a.worker < b.worker ? -1 : 1));
}
