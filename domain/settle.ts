// What a leading master puts right: tasks that are none, tasks to be cancelled, assignments whose worker is lost, whose
// task is final or gone. One decision for a task at a time; the next follows from the facts that it leaves. Pure.

import { failureText } from './dependencies.ts';
import type { TaskId, WithdrawReason, WorkerId } from './task.ts';
import { briefOf, type HeldFact, type TaskEntry, type TaskFact } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';
import { type EndEvent, type EndRecords, type Moment, recordsOf } from './task-machine.ts';
import { isExpired, reviewAt, withdrawalOf } from './withdrawal.ts';

/** An assignment as it was when the decision was made; its commit checks the version. */
export interface HeldAssignment {
  readonly worker: WorkerId;
  readonly fact: HeldFact;
}

export type SettleDecision = { readonly entry: TaskEntry; readonly task: TaskId } & (
  | ({
      /** Records an outcome of the master's own, and takes the assignment away where there was one. */
      readonly kind: 'end';
      readonly taskVersion: number;
      readonly assignment: HeldAssignment | null;
      /** The worker may still be running it: the task's version grows, so that its late outcome finds no place. */
      readonly forced: boolean;
    } & EndRecords)
  | { readonly kind: 'release'; readonly assignment: HeldAssignment }
  /** The tasks that it comes after let it go. That is for good, so nothing but the task itself has to be as it was seen. */
  | { readonly kind: 'unblock'; readonly taskVersion: number }
  | { readonly kind: 'withdraw'; readonly assignment: HeldAssignment; readonly reason: WithdrawReason }
);

/** A task that is there and has not ended, and what deciding about it takes. */
interface OpenTask {
  readonly entry: TaskEntry;
  readonly fact: TaskFact;
  readonly cancel: { readonly reason: string } | null;
  readonly now: number;
  readonly random: number;
}

/** `now` in epoch ms, `random` in [0, 1). Null: nothing to do, or not yet. */
export function planSettlement(index: TaskIndex, entry: TaskEntry, now: number, random: number): SettleDecision | null {
  const decision = settlementOf(index, entry, now, random);
  if (decision) index.decide(entry, null);
  return decision;
}

function settlementOf(index: TaskIndex, entry: TaskEntry, now: number, random: number): SettleDecision | null {
  if (index.phase(entry) !== 'unsettled') return null;
  const { fact, status } = entry;
  const held = heldAssignments(entry);
  const [first] = held;
  if (fact === null || fact === 'unread' || status) {
    return first ? { kind: 'release', entry, task: entry.id, assignment: first } : null;
  }
  const surplus = surplusAssignment(index, held);
  if (surplus) return { kind: 'release', entry, task: entry.id, assignment: surplus };
  if (entry.cancel === 'unread') return null;
  const task = { entry, fact, cancel: entry.cancel, now, random };
  const lost = held.find(({ worker, fact: assignment }) => index.isLost(worker, assignment));
  if (lost && fact.content.kind !== 'invalid') return lose(index, task, lost);
  if (lost || entry.assignments.size === 0) return endWaiting(index, task, lost ?? null);
  return first ? withdraw(index, task, first) : null;
}

function heldAssignments(entry: TaskEntry): HeldAssignment[] {
  const held: HeldAssignment[] = [];
  for (const [worker, fact] of entry.assignments) if (fact !== 'unread') held.push({ worker, fact });
  return held;
}

/** Of several assignments, made by hand, only the oldest on a living worker stays; the others count for nothing. */
function surplusAssignment(index: TaskIndex, held: readonly HeldAssignment[]): HeldAssignment | null {
  const living = held.filter(({ worker, fact }) => !index.isLost(worker, fact));
  if (held.length < 2 || living.length === 0) return null;
  const oldest = living.reduce((a, b) => (b.fact.czxid < a.fact.czxid ? b : a));
  return held.find((assignment) => assignment !== oldest) ?? null;
}

/** The task is not running: it ends as what it is. `assignment` is that of a lost worker to what is no task. */
function endWaiting(index: TaskIndex, task: OpenTask, assignment: HeldAssignment | null): SettleDecision | null {
  const { entry, fact, cancel, now } = task;
  const at = { attempt: index.nextAttempt(entry) - 1, worker: null, startedAt: null, finishedAt: now };
  if (fact.content.kind === 'invalid') {
    return end(task, { kind: 'invalid_task', why: fact.content.why }, at, assignment, false);
  }
  if (cancel) return end(task, { kind: 'cancelled', reason: cancel.reason }, at, assignment, false);
  if (isExpired(briefOf(entry), now)) return end(task, { kind: 'expired' }, at, assignment, false);
  const verdict = index.precedence.verdictOf(entry);
  if (verdict?.kind === 'met') return { kind: 'unblock', entry, task: entry.id, taskVersion: fact.version };
  if (verdict?.kind !== 'failed' || !index.precedence.isCertain(entry)) return null;
  return end(task, { kind: 'dependency_failed', message: failureText(verdict) }, at, assignment, false);
}

/** The worker of a running attempt is gone: the attempt counts, and the task ends if that was the last one. */
function lose(index: TaskIndex, task: OpenTask, held: HeldAssignment): SettleDecision {
  const { entry, cancel } = task;
  const at = endOfRun(index, task, held);
  // Registered anew by the same process (somebody removed it by hand), it may still be running the attempt.
  const forced = index.workers.get(held.worker)?.fact !== null;
  const event = { kind: 'worker_lost', lostBefore: lostAttempts(entry), cancel: cancel?.reason ?? null } as const;
  return end(task, event, at, held, forced);
}

/** A number that has its record already, a person's say, is not given again: the commit would be refused for ever. */
function endOfRun(index: TaskIndex, { entry, now }: OpenTask, { worker, fact: { record } }: HeldAssignment): Moment {
  const { attempt: known } = record;
  const attempt = known !== null && !entry.attempts.has(known) ? known : index.nextAttempt(entry);
  return { attempt, worker, startedAt: record.startedAt, finishedAt: now };
}

function lostAttempts({ attempts }: TaskEntry): number {
  let lost = 0;
  for (const attempt of attempts.values()) if (attempt !== 'unread' && attempt.outcome === 'lost') lost += 1;
  return lost;
}

/** Marks the assignment first; a worker that has not let go when the grace is over loses it by force. */
function withdraw(index: TaskIndex, task: OpenTask, assignment: HeldAssignment): SettleDecision | null {
  const { entry, cancel } = task;
  const { fact } = assignment;
  const reason = withdrawalOf(entry, fact, index.clocks);
  if (reason === null) return null;
  if (fact.record.withdraw === null) return { kind: 'withdraw', entry, task: entry.id, assignment, reason };
  if (reviewAt(entry, fact) > index.clocks.uptime) return null;
  const at = endOfRun(index, task, assignment);
  const isCancelled = cancel !== null || reason === 'cancelled';
  const event: EndEvent = isCancelled
    ? { kind: 'cancelled', reason: cancel?.reason ?? '' }
    : { kind: reason, byForce: true };
  return end(task, event, at, assignment, true);
}

function end(
  { entry, fact, random }: OpenTask,
  event: EndEvent,
  at: Moment,
  assignment: HeldAssignment | null,
  forced: boolean,
): SettleDecision {
  const terms = fact.content.kind === 'task' ? fact.content.brief : null;
  const records = recordsOf(event, at, terms, random);
  return { kind: 'end', entry, task: entry.id, taskVersion: fact.version, ...records, assignment, forced };
}
