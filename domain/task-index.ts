// What a master knows: tasks, workers and assignments as facts that arrive in any order and any number of times, and
// from them the answers to "which task is next" and "what needs putting right". Knowing that something is there without
// knowing yet what it says is a fact of its own: such a task is left alone until the rest arrives. Pure.

import { Heap } from './heap.ts';
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
  'type' | 'queue' | 'priority' | 'runAt' | 'maxAttempts' | 'backoff' | 'retentionMs' | 'idempotencyKey'
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
  readonly record: WorkerRecord;
}

/** Present, but not read yet. */
export type Unread = 'unread';

export interface TaskEntry {
  readonly id: TaskId;
  fact: TaskFact | Unread | null;
  status: StatusRecord | Unread | null;
  readonly attempts: Map<number, AttemptRecord | Unread>;
  /** The reason given with the request to cancel. */
  cancel: { readonly reason: string } | Unread | null;
  readonly assignments: Map<WorkerId, AssignmentFact | Unread>;
  /** A decision about this task is being committed: it is not decided about again. */
  decided: boolean;
  /** Set aside until then after a refusal that should not have been, epoch ms. */
  deferredUntil: number;
  /** When this master first saw the mark of withdrawal on its assignment, epoch ms; 0 before. */
  withdrawnAt: number;
  /** Stands in one of the ready heaps. */
  enqueued: boolean;
}

/** A place in line. It keeps its own copy of the order, since a heap must not see its keys change. */
export interface Waiting {
  readonly entry: TaskEntry;
  readonly priority: number;
  readonly czxid: bigint;
  readonly number: number;
}

export interface WorkerEntry {
  readonly id: WorkerId;
  fact: WorkerFact | Unread | null;
  /** `/assign/<worker>` exists: before that it cannot be given anything. */
  reachable: boolean;
  /** What it is running or about to be given. */
  readonly tasks: Set<TaskId>;
}

export type Phase = 'unclear' | 'final' | 'running' | 'unsettled' | 'scheduled' | 'ready' | 'foreign';

/** Tasks of one queue and type, which only workers of a kind can take, best first. */
export interface ReadyGroup {
  readonly queue: string;
  readonly type: string;
  readonly heap: Heap<Waiting>;
}

export class TaskIndex {
  readonly tasks = new Map<TaskId, TaskEntry>();
  readonly workers = new Map<WorkerId, WorkerEntry>();
  readonly groups = new Map<string, ReadyGroup>();
  /** Tasks that need a commit other than an assignment: invalid, cancelled, left over or lost ones. */
  readonly unsettled = new Set<TaskId>();
  /** Tasks that are final and still kept. */
  readonly finished = new Set<TaskEntry>();
  /** Told of each task that becomes final, while somebody wants to know. */
  onFinished: ((entry: TaskEntry) => void) | null = null;
  readonly #alarms = new Heap<{ at: number; task: TaskId }>((a, b) => a.at < b.at);
  #now = 0;

  /** The earliest time at which something becomes due, or null. */
  get nextAlarmAt(): number | null {
    return this.#alarms.peek()?.at ?? null;
  }

  /** Time has come to `now` (epoch ms): what waited for it is looked at again. */
  advance(now: number): void {
    this.#now = now;
    for (let alarm = this.#alarms.peek(); alarm && alarm.at <= now; alarm = this.#alarms.peek()) {
      this.#alarms.pop();
      const entry = this.tasks.get(alarm.task);
      if (entry) this.refresh(entry);
    }
  }

  setTask(id: TaskId, fact: TaskFact | Unread): void {
    this.#change(id, (entry) => {
      if (fact !== 'unread' || entry.fact === null) entry.fact = fact;
    });
  }

  removeTask(id: TaskId): void {
    this.#change(id, (entry) => {
      entry.fact = null;
      entry.status = null;
      entry.cancel = null;
      entry.attempts.clear();
    });
  }

  setStatus(id: TaskId, status: StatusRecord | Unread | null): void {
    this.#change(id, (entry) => {
      entry.status = status;
    });
  }

  setAttempt(id: TaskId, attempt: number, record: AttemptRecord | Unread | null): void {
    this.#change(id, (entry) => {
      if (record === null) entry.attempts.delete(attempt);
      else entry.attempts.set(attempt, record);
    });
  }

  setCancel(id: TaskId, cancel: { readonly reason: string } | Unread | null): void {
    this.#change(id, (entry) => {
      entry.cancel = cancel;
    });
  }

  setAssignment(worker: WorkerId, id: TaskId, fact: AssignmentFact | Unread | null): void {
    this.#change(id, (entry) => {
      if (fact !== null) entry.assignments.set(worker, fact);
      else if (entry.assignments.delete(worker)) entry.withdrawnAt = 0;
    });
    const load = this.worker(worker).tasks;
    if (fact === null) load.delete(id);
    else load.add(id);
    this.#forgetIfEmpty(worker);
  }

  setReachable(worker: WorkerId, reachable: boolean): void {
    this.worker(worker).reachable = reachable;
    this.#forgetIfEmpty(worker);
  }

  setWorker(id: WorkerId, fact: WorkerFact | Unread | null): void {
    const worker = this.worker(id);
    worker.fact = fact;
    for (const task of worker.tasks) this.#change(task, () => undefined);
    this.#forgetIfEmpty(id);
  }

  /** Wakes whoever asks for {@link nextAlarmAt} at `at` to look at the task again. */
  alarm(entry: TaskEntry, at: number): void {
    this.#alarms.push({ at, task: entry.id });
  }

  /** Tasks that are not final, in all and by queue. */
  countUnfinished(): { readonly total: number; readonly queues: Readonly<Record<string, number>> } {
    const queues = new Map<string, number>();
    let total = 0;
    for (const entry of this.tasks.values()) {
      const { fact, status } = entry;
      if (status || fact === null) continue;
      total += 1;
      const queue = fact !== 'unread' && fact.content.kind === 'task' ? fact.content.brief.queue : null;
      if (queue !== null) queues.set(queue, (queues.get(queue) ?? 0) + 1);
    }
    return { total, queues: Object.fromEntries(queues) };
  }

  /** The best task of the group that is really ready, left in its place; null where there is none. */
  headOf(group: ReadyGroup): Waiting | null {
    for (let head = group.heap.peek(); head; head = group.heap.peek()) {
      if (this.phase(head.entry) === 'ready') return head;
      this.takeHead(group);
    }
    return null;
  }

  takeHead(group: ReadyGroup): void {
    const head = group.heap.pop();
    if (head) head.entry.enqueued = false;
  }

  /** A decision about the task is being committed; until {@link settle} it is not decided about again. */
  decide(entry: TaskEntry, worker: WorkerId | null): void {
    entry.decided = true;
    if (worker !== null) this.worker(worker).tasks.add(entry.id);
    this.refresh(entry);
  }

  /** The commit is over, and whatever it changed has arrived as facts. `deferUntil` keeps a refused one from coming back at once. */
  settle(entry: TaskEntry, worker: WorkerId | null, deferUntil = 0): void {
    entry.decided = false;
    entry.deferredUntil = deferUntil;
    if (deferUntil > 0) this.alarm(entry, deferUntil);
    if (worker !== null && !entry.assignments.has(worker)) this.worker(worker).tasks.delete(entry.id);
    this.#change(entry.id, () => undefined);
  }

  phase(entry: TaskEntry): Phase {
    const { fact, status } = entry;
    if (entry.decided || fact === 'unread' || status === 'unread' || entry.deferredUntil > this.#now) return 'unclear';
    if (fact === null) return entry.assignments.size > 0 ? 'unsettled' : 'unclear';
    if (status) return entry.assignments.size > 0 ? 'unsettled' : 'final';
    if (fact.content.kind === 'newer') return 'foreign';
    if (entry.assignments.size > 0) return this.#needsAttention(entry) ? 'unsettled' : 'running';
    if (fact.content.kind === 'invalid' || entry.cancel) return entry.cancel === 'unread' ? 'unclear' : 'unsettled';
    const notBefore = notBeforeOf(entry, fact.content.brief);
    if (notBefore === 'unread') return 'unclear';
    return notBefore > this.#now ? 'scheduled' : 'ready';
  }

  /** True where the assignment belongs to no living worker: its worker is gone, or has begun a new life since. */
  isLost(worker: WorkerId, assignment: AssignmentFact): boolean {
    const fact = this.workers.get(worker)?.fact ?? null;
    return fact !== 'unread' && (fact === null || assignment.czxid < fact.czxid);
  }

  /** When the mark of withdrawal was first seen: now, if never before. */
  withdrawnSince(entry: TaskEntry, now: number): number {
    if (entry.withdrawnAt === 0) entry.withdrawnAt = now;
    return entry.withdrawnAt;
  }

  /** The number that the next attempt of the task has. */
  nextAttempt(entry: TaskEntry): number {
    return Math.max(0, ...entry.attempts.keys()) + 1;
  }

  worker(id: WorkerId): WorkerEntry {
    let worker = this.workers.get(id);
    if (!worker) {
      worker = { id, fact: null, reachable: false, tasks: new Set() };
      this.workers.set(id, worker);
    }
    return worker;
  }

  /** Puts the task where its present phase belongs. */
  refresh(entry: TaskEntry): void {
    const phase = this.phase(entry);
    if (phase === 'unsettled') this.unsettled.add(entry.id);
    else this.unsettled.delete(entry.id);
    const { fact } = entry;
    if (phase === 'final' && !this.finished.has(entry)) {
      this.finished.add(entry);
      this.onFinished?.(entry);
    }
    if (fact === null || fact === 'unread' || fact.content.kind !== 'task') return;
    if (phase === 'ready' && !entry.enqueued) this.#enqueue(entry, fact, fact.content.brief);
    if (phase === 'scheduled') {
      const at = notBeforeOf(entry, fact.content.brief);
      if (at !== 'unread') this.#alarms.push({ at, task: entry.id });
    }
  }

  #needsAttention(entry: TaskEntry): boolean {
    if (entry.assignments.size > 1 || entry.cancel !== null) return true;
    for (const [worker, assignment] of entry.assignments) {
      if (assignment !== 'unread' && this.isLost(worker, assignment)) return true;
    }
    return false;
  }

  #enqueue(entry: TaskEntry, { czxid, number }: TaskFact, { queue, type, priority }: TaskBrief): void {
    const key = `${queue} ${type}`;
    let group = this.groups.get(key);
    if (!group) {
      group = { queue, type, heap: new Heap(runsBefore) };
      this.groups.set(key, group);
    }
    entry.enqueued = true;
    group.heap.push({ entry, priority, czxid, number });
  }

  #change(id: TaskId, change: (entry: TaskEntry) => void): void {
    const known = this.tasks.get(id);
    const entry = known ?? newEntry(id);
    change(entry);
    const empty = entry.fact === null && entry.status === null && entry.assignments.size === 0;
    if (empty && entry.cancel === null && entry.attempts.size === 0 && !entry.decided) {
      this.tasks.delete(id);
      this.unsettled.delete(id);
      this.finished.delete(entry);
      return;
    }
    if (!known) this.tasks.set(id, entry);
    this.refresh(entry);
  }

  #forgetIfEmpty(id: WorkerId): void {
    const worker = this.workers.get(id);
    if (worker && worker.fact === null && !worker.reachable && worker.tasks.size === 0) this.workers.delete(id);
  }
}

function newEntry(id: TaskId): TaskEntry {
  const facts = { fact: null, status: null, attempts: new Map(), cancel: null, assignments: new Map() };
  return { id, ...facts, decided: false, deferredUntil: 0, withdrawnAt: 0, enqueued: false };
}

/** When the next attempt may start (epoch ms): the last attempt's word, before it the task's own. */
function notBeforeOf(entry: TaskEntry, brief: TaskBrief): number | Unread {
  let last = 0;
  for (const [attempt, record] of entry.attempts) {
    if (record === 'unread') return 'unread';
    last = Math.max(last, attempt);
  }
  const record = entry.attempts.get(last);
  return (record && record !== 'unread' ? record.retryAt : brief.runAt) ?? 0;
}

/** Higher priority first; within one, in order of creation: by transaction, then by number within it. */
export function runsBefore(a: Waiting, b: Waiting): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.czxid !== b.czxid) return a.czxid < b.czxid;
  return a.number < b.number;
}
