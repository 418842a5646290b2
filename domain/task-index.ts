// What a master knows: tasks, workers and assignments as facts that arrive in any order and any number of times, and
// from them the answers to "which task is next" and "what needs putting right". Knowing that something is there without
// knowing yet what it says is a fact of its own: such a task is left alone until the rest arrives. Pure.

import { noteAssigned, noteUnassigned } from './assignment-facts.ts';
import { CreationOrder } from './creation-order.ts';
import { KeyedBatches } from './keyed-batches.ts';
import { limits } from './limits.ts';
import { Precedence } from './precedence.ts';
import type { QueueSettings } from './queue-settings.ts';
import { QueueTable } from './queue-table.ts';
import { ReadyLine } from './ready-line.ts';
import { ScheduleTasks } from './schedule-tasks.ts';
import type { TaskId, WorkerId } from './task.ts';
import { TaskAlarms } from './task-alarms.ts';
import {
  type AssignmentFact,
  type AttemptBrief,
  newEntry,
  type StatusBrief,
  type TaskEntry,
  type TaskFact,
  type Unread,
  type WorkerEntry,
  type WorkerFact,
} from './task-entry.ts';
import { isUnknown, noteAttempt, noteRemoved, noteStatus, noteTask } from './task-facts.ts';
import { type Phase, phaseOf } from './task-phase.ts';
import { TaskStates } from './task-states.ts';
import type { Clocks } from './withdrawal.ts';
import { WorkerTable } from './worker-table.ts';

export class TaskIndex {
  readonly tasks = new Map<TaskId, TaskEntry>();
  readonly ready = new ReadyLine(
    (entry) => this.phase(entry) === 'ready',
    (entry) => this.tasks.get(entry.id) === entry && this.refresh(entry),
  );
  /** Tasks that need a commit other than an assignment: invalid, cancelled, left over or lost ones. */
  readonly unsettled = new Set<TaskId>();
  /** Tasks that are final and still kept, without those that somebody waits for. */
  readonly finished = new Set<TaskEntry>();
  /** All tasks whose data has been read. */
  readonly order = new CreationOrder<TaskEntry>();
  readonly queues = new QueueTable();
  readonly states = new TaskStates(this.queues);
  readonly batches = new KeyedBatches();
  readonly schedules = new ScheduleTasks();
  /** What comes before what. */
  readonly precedence = new Precedence(this.tasks, (entry) => this.refresh(entry));
  /** Told of each task that joins the finished, while somebody wants to know. */
  onFinished: ((entry: TaskEntry) => void) | null = null;
  readonly #alarms = new TaskAlarms();
  readonly #fleet = new WorkerTable();
  /** Made once: a phase is asked for with every change. */
  readonly #isLost = (worker: WorkerId, assignment: AssignmentFact) => this.isLost(worker, assignment);
  readonly #toRefresh = new Set<TaskEntry>();
  #isRefreshing = false;
  #isLoading = false;
  /** Those that are still to be put in their places. */
  #loaded: MapIterator<TaskEntry> | null = null;

  /** Alarms that are set, those of tasks that are gone included. */
  get alarms(): number {
    return this.#alarms.size;
  }

  /** The earliest time at which something becomes due, or null. */
  get nextAlarmAt(): number | null {
    return this.#alarms.nextAlarmAt;
  }

  /** The same by uptime, ms: when a run should have ended. */
  get nextReviewAt(): number | null {
    return this.#alarms.nextReviewAt;
  }

  get workers(): ReadonlyMap<WorkerId, WorkerEntry> {
    return this.#fleet.workers;
  }

  /** Workers that went and left an empty `/assign/<worker>` behind. */
  get abandoned(): Set<WorkerId> {
    return this.#fleet.abandoned;
  }

  /** When a queue that waits for nothing but its rate may start one more, or null. */
  get nextTokenAt(): number | null {
    const { queues } = this.states.counts;
    return this.queues.nextTokenAt((name) => (queues.get(name)?.queued ?? 0) > 0, this.#now);
  }

  /**
   * Time has come to `now` (epoch ms): what waited for it is looked at again, the earliest first and no more than `alarmsMax` of
   * it. Where there is more, `nextAlarmAt` is past.
   */
  advance(now: number, alarmsMax: number = limits.alarmsAtOnce): void {
    this.#alarms.setNow(now);
    for (let count = 0; count < alarmsMax; count += 1) {
      const entry = this.#alarms.takeDue();
      if (!entry) return;
      this.refresh(entry);
    }
  }

  /** `uptime`, in ms, never goes back: runs that should have ended by it are looked at, no more than `reviewsMax` at a time. */
  review(uptime: number, reviewsMax: number = limits.alarmsAtOnce): void {
    this.#alarms.setUptime(uptime);
    for (let count = 0; count < reviewsMax; count += 1) {
      const entry = this.#alarms.takeReview();
      if (!entry) return;
      this.refresh(entry);
    }
  }

  /**
   * Until {@link endLoading} facts are only taken down: for the first picture, of which nobody asks anything before it is complete. A
   * hundred thousand finished tasks are else placed, lined up and counted as waiting ones, each until its status is read.
   */
  beginLoading(): void {
    this.#isLoading = true;
  }

  /**
   * What follows from the facts so far is worked out, for up to `tasksMax` more tasks with each call, and from the first call on with
   * each fact. True once that is done for all of them.
   */
  endLoading(tasksMax = Infinity): boolean {
    this.#isLoading = false;
    this.#loaded ??= this.tasks.values();
    for (let count = 0; count < tasksMax; count += 1) {
      const { done, value } = this.#loaded.next();
      if (done) return true;
      this.refresh(value);
    }
    return false;
  }

  setTask(id: TaskId, fact: TaskFact | Unread): void {
    this.#change(id, (entry) => {
      if (fact === 'unread') entry.fact ??= fact;
      else noteTask(entry, fact, this);
    });
  }

  /** The task is there, and we may not read it. */
  setForbidden(id: TaskId): void {
    this.#change(id, (entry) => {
      entry.fact ??= 'unread';
      entry.forbidden = true;
    });
  }

  /** What of it is unread stays so: we may not read it, or it is for a newer version of us. */
  setPartUnreadable(id: TaskId, why: NonNullable<TaskEntry['partUnreadable']>): void {
    this.#change(id, (entry) => {
      entry.partUnreadable = why;
    });
  }

  removeTask(id: TaskId): void {
    this.#change(id, (entry) => noteRemoved(entry, this));
  }

  /** Null: nothing of the queue is set. */
  setQueue(name: string, settings: QueueSettings | null): void {
    this.queues.set(name, settings, this.#now);
  }

  /** Whether the settings of the queue allow one more of its tasks to be started. */
  mayStart(queue: string): boolean {
    return this.limitOf(queue) === null;
  }

  /** Which setting of the queue lets no task of it be started now; null: none. */
  limitOf(queue: string): 'paused' | 'concurrency' | 'rate' | null {
    return this.queues.limitOf(queue, this.states.counts.slotsOf(queue), this.#now);
  }

  /** `createdAt` is when the status appeared, by the ensemble's clock, epoch ms. */
  setStatus(id: TaskId, status: StatusBrief | Unread | null, createdAt = 0): void {
    this.#change(id, (entry) => noteStatus(entry, status, createdAt, this.clocks.uptime));
  }

  setAttempt(id: TaskId, attempt: number, record: AttemptBrief | Unread | null): void {
    this.#change(id, (entry) => noteAttempt(entry, attempt, record));
  }

  /** When it was let go by the tasks that it comes after, by the ensemble's clock, epoch ms. */
  setUnblocked(id: TaskId, at: number | Unread | null): void {
    this.#change(id, (entry) => {
      // It has happened, though the clock of the ensemble be ahead of ours.
      entry.unblockedAt = typeof at === 'number' ? Math.min(at, this.#now) : at;
    });
  }

  setCancel(id: TaskId, cancel: { readonly reason: string } | Unread | null): void {
    this.#change(id, (entry) => {
      entry.cancel = cancel;
    });
  }

  setAssignment(worker: WorkerId, id: TaskId, fact: AssignmentFact | Unread | null): void {
    this.#change(id, (entry) => {
      if (fact !== null) noteAssigned(entry, worker, fact, this.clocks, !this.#isLoading);
      else if (entry.assignments.has(worker)) noteUnassigned(entry, worker, this.clocks.uptime);
    });
    if (fact === null) this.#fleet.takeBack(worker, id);
    else this.#fleet.give(worker, id);
  }

  setReachable(worker: WorkerId, reachable: boolean): void {
    this.#fleet.setReachable(worker, reachable);
  }

  setWorker(id: WorkerId, fact: WorkerFact | Unread | null): void {
    for (const task of this.#fleet.setFact(id, fact)) this.#change(task, () => undefined);
  }

  /** A decision about the task is being committed; until {@link settle} it is not decided about again. */
  decide(entry: TaskEntry, worker: WorkerId | null): void {
    entry.decided = true;
    if (worker !== null) {
      entry.assigning = worker;
      this.#fleet.give(worker, entry.id);
      if (entry.queue !== null) this.queues.noteStart(entry.queue, this.#now);
    }
    this.refresh(entry);
  }

  /** The commit is over, and whatever it changed has arrived as facts. `deferUntil`, by uptime, keeps a refused one from coming back at once. */
  settle(entry: TaskEntry, worker: WorkerId | null, deferUntil = 0): void {
    const hasStarted = entry.assigning === null || entry.assignments.size > 0;
    if (!hasStarted && entry.queue !== null) this.queues.noteNoStart(entry.queue, this.#now);
    entry.decided = false;
    entry.assigning = null;
    entry.deferredUntil = deferUntil;
    if (worker !== null && !entry.assignments.has(worker)) this.#fleet.takeBack(worker, entry.id);
    this.#change(entry.id, () => undefined);
  }

  /** As of the last {@link advance} and the last {@link review}. */
  get clocks(): Clocks {
    return this.#alarms.clocks;
  }

  get #now(): number {
    return this.clocks.now;
  }

  phase(entry: TaskEntry): Phase {
    return phaseOf(entry, this.clocks, this.#isLost, this.precedence);
  }

  /** True where the assignment belongs to no living worker: its worker is gone, or has begun a new life since. */
  isLost(worker: WorkerId, assignment: AssignmentFact): boolean {
    return this.#fleet.isLost(worker, assignment);
  }

  /** The number that the next attempt of the task has. */
  nextAttempt(entry: TaskEntry): number {
    return Math.max(0, ...entry.attempts.keys()) + 1;
  }

  worker(id: WorkerId): WorkerEntry {
    return this.#fleet.of(id);
  }

  /** Puts the task where its present phase and state belong, and then the others that this concerns. */
  refresh(entry: TaskEntry): void {
    if (this.#isLoading) return;
    if (this.#isRefreshing) {
      this.#toRefresh.add(entry);
      return;
    }
    this.#isRefreshing = true;
    this.#refreshOne(entry);
    // As mostly there are none.
    if (this.#toRefresh.size > 0) this.#refreshOthers();
    this.#isRefreshing = false;
  }

  #refreshOthers(): void {
    for (const next of this.#toRefresh) {
      this.#toRefresh.delete(next);
      this.#refreshOne(next);
    }
  }

  #refreshOne(entry: TaskEntry): void {
    this.precedence.update(entry);
    if (this.tasks.get(entry.id) === entry) this.#place(entry);
  }

  #place(entry: TaskEntry): void {
    this.schedules.update(entry);
    const phase = this.phase(entry);
    if (phase === 'unsettled') this.unsettled.add(entry.id);
    else this.unsettled.delete(entry.id);
    this.#keepFinished(entry, phase);
    const state = this.states.update(entry, this.#now);
    if (phase === 'ready') this.ready.enqueue(entry, this.states.counts.states.queued);
    this.#alarms.update(entry, state);
  }

  /** One whose status was removed by hand is not final any more; one that somebody waits for is not to go. */
  #keepFinished(entry: TaskEntry, phase: Phase): void {
    const isAwaited = this.precedence.isAwaited(entry);
    if (entry.status === null || isAwaited) this.finished.delete(entry);
    if (phase !== 'final' || isAwaited || this.finished.has(entry)) return;
    this.finished.add(entry);
    this.onFinished?.(entry);
  }

  #change(id: TaskId, change: (entry: TaskEntry) => void): void {
    const known = this.tasks.get(id);
    const entry = known ?? newEntry(id);
    change(entry);
    if (isUnknown(entry) && !entry.decided) {
      this.tasks.delete(id);
      this.unsettled.delete(id);
      this.finished.delete(entry);
      this.#alarms.forget(entry);
      this.states.forget(entry);
      this.schedules.forget(entry);
    } else if (!known) this.tasks.set(id, entry);
    this.refresh(entry);
  }
}
