// What the facts of an entry amount to: its state, by the same rule as for the Task resource (task-view.ts), and what else
// a list or an event says of it. What depends on a fact that is not read yet is not known, and said to be so. Pure.

import type { TaskState, WorkerId } from './task.ts';
import { type AttemptBrief, briefOf, type HeldFact, type TaskEntry, type Unread } from './task-entry.ts';
import { earliestStart, type TaskSnapshot } from './task-view.ts';

/** Null: it is no task, or what that depends on has not been read yet. */
export function stateOf(entry: TaskEntry, now: number): TaskState | null {
  const { fact, status } = entry;
  if (fact === null || status === 'unread') return null;
  if (status) return status.state;
  if (entry.goneUntil > 0) return null;
  if (entry.assignments.size > 0) return 'running';
  const due = notBeforeOf(entry);
  if (due === 'unread') return null;
  return due > now ? 'scheduled' : 'queued';
}

/** When the next attempt may start, epoch ms; Infinity while other tasks have to succeed before. */
export function notBeforeOf(entry: TaskEntry): number | Unread {
  const last = lastAttemptOf(entry);
  if (last === 'unread' || entry.fact === 'unread' || entry.unblockedAt === 'unread') return 'unread';
  return earliestStart(last?.retryAt ?? null, briefOf(entry), entry.unblockedAt);
}

/** Since when it can be given to a worker (epoch ms): its time has come, or it came into being or back after that. */
export function queuedSinceOf(entry: TaskEntry): number | Unread {
  const due = notBeforeOf(entry);
  const last = lastAttemptOf(entry);
  if (due === 'unread' || last === 'unread' || !entry.fact || entry.fact === 'unread') return 'unread';
  return Math.max(due, last?.finishedAt ?? entry.fact.createdAt);
}

/** The worker that ended it, else the one that it is assigned to. */
export function workerOf(entry: TaskEntry): string | null {
  const { status } = entry;
  const ended = status !== null && status !== 'unread' ? status.worker : null;
  const [first] = entry.assignments.keys();
  return ended ?? assignmentOf(entry)?.worker ?? first ?? null;
}

/** True where everything has been read that tells its state and how it came to it. */
export function isKnown({ fact, status, attempts, assignments, unblockedAt }: TaskEntry): boolean {
  if (fact === null || fact === 'unread' || status === 'unread' || unblockedAt === 'unread') return false;
  for (const attempt of attempts.values()) if (attempt === 'unread') return false;
  if (status === null) for (const assignment of assignments.values()) if (assignment === 'unread') return false;
  return true;
}

/** The task as the Task resource is computed from, without what only the ensemble keeps. The entry must be known. */
export function snapshotOf(entry: TaskEntry): TaskSnapshot {
  const { id, fact, status } = entry;
  const createdAt = fact === null || fact === 'unread' ? 0 : fact.createdAt;
  const brief = briefOf(entry);
  const deadlineMs = brief?.deadlineAt == null ? null : brief.deadlineAt - createdAt;
  const left = { payload: null, submitId: null, submittedAt: createdAt, deadlineMs };
  const assigned = assignmentOf(entry);
  return {
    id,
    record: brief && { ...brief, ...left },
    createdAt,
    cancelRequested: entry.cancel !== null,
    unblockedAt: entry.unblockedAt === 'unread' ? null : entry.unblockedAt,
    status: status === 'unread' ? null : status && { ...status, result: null, error: null },
    attempts: readAttempts(entry).map((attempt) => ({ ...attempt, error: null })),
    assignment: assigned && { worker: assigned.worker, record: assigned.fact.record },
  };
}

/** Several are made by hand: the oldest is the one that stays. */
export function assignmentOf(entry: TaskEntry): { worker: WorkerId; fact: HeldFact } | null {
  let oldest: { worker: WorkerId; fact: HeldFact } | null = null;
  for (const [worker, fact] of entry.assignments) {
    if (fact !== 'unread' && (!oldest || fact.czxid < oldest.fact.czxid)) oldest = { worker, fact };
  }
  return oldest;
}

export function lastAttemptOf({ attempts }: TaskEntry): AttemptBrief | Unread | null {
  if (attempts.size === 0) return null;
  let last = 0;
  for (const [attempt, record] of attempts) {
    if (record === 'unread') return 'unread';
    last = Math.max(last, attempt);
  }
  return attempts.get(last) ?? null;
}

function readAttempts({ attempts }: TaskEntry): AttemptBrief[] {
  const read: AttemptBrief[] = [];
  for (const record of attempts.values()) if (record !== 'unread') read.push(record);
  return read.sort((a, b) => a.attempt - b.attempt);
}
