// What a leading master puts right: tasks that are none, tasks to be cancelled, assignments whose worker is lost, whose
// task is final or gone. One decision for a task at a time; the next follows from the facts that it leaves. Pure.

import { limits } from './limits.ts';
import { nextRetryDelayMs } from './retry.ts';
import type { AttemptRecord, StatusRecord, TaskId, WithdrawReason, WorkerId } from './task.ts';
import type { AssignmentFact, TaskEntry, TaskFact } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';

/** An assignment as it was when the decision was made; its commit checks the version. */
export interface HeldAssignment {
  readonly worker: WorkerId;
  readonly fact: AssignmentFact;
}

export type SettleDecision = { readonly entry: TaskEntry; readonly task: TaskId } & (
  | {
      /** Records an outcome of the master's own, and takes the assignment away where there was one. */
      readonly kind: 'end';
      readonly taskVersion: number;
      readonly attempt: AttemptRecord | null;
      readonly status: StatusRecord | null;
      readonly assignment: HeldAssignment | null;
      /** The worker may still be running it: the task's version grows, so that its late outcome finds no place. */
      readonly forced: boolean;
    }
  | { readonly kind: 'release'; readonly assignment: HeldAssignment }
  | { readonly kind: 'withdraw'; readonly assignment: HeldAssignment; readonly reason: WithdrawReason }
);

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
  const lost = held.find(({ worker, fact: assignment }) => index.isLost(worker, assignment));
  if (lost && fact.content.kind !== 'invalid') return lose(index, entry, fact, lost, now, random);
  if (lost || entry.assignments.size === 0) return endWaiting(index, entry, fact, lost ?? null, now);
  return first && entry.cancel && entry.cancel !== 'unread' ? withdraw(index, entry, fact, first, now) : null;
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
function endWaiting(
  index: TaskIndex,
  entry: TaskEntry,
  fact: TaskFact,
  assignment: HeldAssignment | null,
  now: number,
): SettleDecision | null {
  const attempt = index.nextAttempt(entry) - 1;
  const ended = { attempt, worker: null, startedAt: null, finishedAt: now, result: null };
  const base = { kind: 'end', entry, task: entry.id, taskVersion: fact.version, assignment } as const;
  if (fact.content.kind === 'invalid') {
    const error = { code: 'invalid_task', message: `this is no task of ours: ${fact.content.why}` } as const;
    return { ...base, attempt: null, status: { ...ended, state: 'failed', error }, forced: false };
  }
  if (!entry.cancel || entry.cancel === 'unread') return null;
  const error = { code: 'cancelled', message: entry.cancel.reason } as const;
  return { ...base, attempt: null, status: { ...ended, state: 'cancelled', error }, forced: false };
}

/** The worker of a running attempt is gone: the attempt counts, and the task ends if that was the last one. */
function lose(
  index: TaskIndex,
  entry: TaskEntry,
  fact: TaskFact,
  held: HeldAssignment,
  now: number,
  random: number,
): SettleDecision {
  const known = held.fact.record.attempt;
  const attempt = known !== null && !entry.attempts.has(known) ? known : Math.max(0, ...entry.attempts.keys()) + 1;
  const { startedAt } = held.fact.record;
  const policy = fact.content.kind === 'task' ? fact.content.brief : null;
  const failed = { attempt, retryable: true, retryAfterMs: 0 };
  const delayMs = policy && !entry.cancel ? nextRetryDelayMs(policy, failed, random) : null;
  const message = `worker ${held.worker} was lost during attempt ${attempt} of ${policy?.maxAttempts ?? 1}`;
  const error = { code: 'worker_lost', message } as const;
  const base = { worker: held.worker, startedAt, finishedAt: now, attempt };
  const retryAt = delayMs === null ? null : now + delayMs;
  const record: AttemptRecord = { ...base, outcome: 'lost', error, retryAt };
  // A cancelled task is ended by the next decision, when nothing holds it any more.
  const final = delayMs === null && !entry.cancel;
  const status: StatusRecord | null = final ? { ...base, state: 'failed', result: null, error } : null;
  const taskVersion = fact.version;
  // Registered anew by the same process (somebody removed it by hand), it may still be running the attempt.
  const forced = index.workers.get(held.worker)?.fact !== null;
  return { kind: 'end', entry, task: entry.id, taskVersion, attempt: record, status, assignment: held, forced };
}

/** Marks the assignment first; a worker that has not let go when the grace is over loses it by force. */
function withdraw(
  index: TaskIndex,
  entry: TaskEntry,
  fact: TaskFact,
  assignment: HeldAssignment,
  now: number,
): SettleDecision | null {
  const { record } = assignment.fact;
  if (record.withdraw === null) {
    return { kind: 'withdraw', entry, task: entry.id, assignment, reason: 'cancelled' };
  }
  const forceAt = index.withdrawnSince(entry, now) + limits.withdrawGraceMs;
  if (now < forceAt) {
    index.alarm(entry, forceAt);
    return null;
  }
  const reason = entry.cancel && entry.cancel !== 'unread' ? entry.cancel.reason : '';
  const attempt = record.attempt ?? index.nextAttempt(entry);
  const status: StatusRecord = {
    state: 'cancelled',
    result: null,
    error: { code: 'cancelled', message: reason },
    attempt,
    worker: assignment.worker,
    startedAt: record.startedAt,
    finishedAt: now,
  };
  const taskVersion = fact.version;
  return { kind: 'end', entry, task: entry.id, taskVersion, attempt: null, status, assignment, forced: true };
}
