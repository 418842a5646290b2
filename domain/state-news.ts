// What there is to announce of a task: the states that it has gone through since the last one that was announced. A master
// learns of a change by an event and of what it says by a read after it, so that it may see a task queued and next see it
// ended; what lay in between is told from the records (task-history.ts). Pure.

import { assignmentOf, isKnown, lastAttemptOf, notBeforeOf, snapshotOf, stateOf, workerOf } from './entry-state.ts';
import type { TaskEvent } from './master-index.ts';
import type { TaskState } from './task.ts';
import { type Announced, briefOf, type TaskEntry } from './task-entry.ts';
import { type HistoryStep, taskHistory } from './task-history.ts';
import { earliestStart, type TaskView } from './task-view.ts';

/** Notes the present state of the task as announced, where all of it is known; nobody is told. */
export function takeAsAnnounced(entry: TaskEntry, now: number): void {
  if (isKnown(entry)) entry.announced = presentOf(entry, now);
}

/** The states to announce, oldest first, which are then taken as announced. None while a fact that it needs is unread. */
export function takeNews(entry: TaskEntry, now: number): TaskEvent[] {
  if (!isKnown(entry)) return [];
  const present = presentOf(entry, now);
  const seen = entry.announced;
  if (present === null || present === seen) return [];
  // Where it is removed its status goes first: that is no change of state, nor is a status that a person takes away.
  if (seen && isFinal(seen) && (present.state === 'queued' || present.state === 'scheduled')) return [];
  entry.announced = present;
  if (isNext(entry, seen, present)) return [presentEvent(entry, present, now)];
  const news = newsAfter(seen, taskHistory(snapshotOf(entry), now));
  return news.map((step, i) => {
    const isHandedBack =
      i === 0 && seen?.state === 'running' && step.state === 'queued' && attemptOf(step) < seen.attempt;
    const next = news[i + 1]?.view();
    // That leaves no record: it was before the next run.
    const at = isHandedBack ? (next?.startedAt ?? now) : timeOf(entry, step, next, now);
    return eventOf(entry, step.view(), at);
  });
}

/** True where nothing can have come in between, as mostly, so that the whole history need not be told. */
function isNext(entry: TaskEntry, seen: Announced | null, present: Announced): boolean {
  const { attempt } = present;
  switch (present.state) {
    case 'scheduled':
      return seen ? seen.state === 'running' && seen.attempt === attempt : entry.attempts.size === 0;
    case 'queued':
      if (seen?.state === 'scheduled') return seen.attempt === attempt;
      if (seen ? seen.state !== 'running' || seen.attempt !== attempt : entry.attempts.size > 0) return false;
      return notBeforeOf(entry) === 0;
    case 'running':
      return seen?.state === 'queued' && seen.attempt === attempt - 1;
    default:
      return seen?.state === 'running' && seen.attempt === attempt;
  }
}

function presentEvent(entry: TaskEntry, { state, attempt, startedAt }: Announced, now: number): TaskEvent {
  const { id, status } = entry;
  const brief = briefOf(entry);
  const ended = status && status !== 'unread' ? status : null;
  const worker = ended || state === 'running' ? workerOf(entry) : null;
  let at = ended?.finishedAt;
  at ??= state === 'running' ? (startedAt ?? now) : waitingSince(entry, state, attempt);
  return { id, type: brief?.type ?? null, queue: brief?.queue ?? null, state, attempt, worker, at };
}

/** Where what was seen is no part of the history, the present alone is told, or a run that was handed back. */
function newsAfter(seen: Announced | null, history: HistoryStep[]): HistoryStep[] {
  if (!seen) return history;
  const exact = history.findLastIndex((step) => isSame(announcedOf(step), seen));
  if (exact >= 0) return history.slice(exact + 1);
  if (seen.state !== 'running') return history.slice(-1);
  // The record of a run has the worker's clock, its assignment the master's.
  const ended = history.findLastIndex((step) => step.state === 'running' && attemptOf(step) === seen.attempt);
  if (ended >= 0 && ended < history.length - 1) return history.slice(ended + 1);
  const handedBack = history.findLastIndex((step) => step.state === 'queued' && attemptOf(step) < seen.attempt);
  return history.slice(handedBack);
}

/** As `taskHistory` has it at its end, without what came before; what was announced is given again where it is still so. */
function presentOf(entry: TaskEntry, now: number): Announced | null {
  const state = stateOf(entry, now);
  if (state === null) return null;
  const { status, announced } = entry;
  const ended = status === 'unread' ? null : status;
  const assigned = ended ? null : assignmentOf(entry);
  const last = lastAttemptOf(entry);
  const attempt = ended?.attempt ?? assigned?.fact.record.attempt ?? (last === 'unread' ? null : last?.attempt) ?? 0;
  const startedAt = assigned?.fact.record.startedAt ?? null;
  const isAnnounced = announced?.state === state && announced.attempt === attempt && announced.startedAt === startedAt;
  return isAnnounced ? announced : announcing(state, attempt, startedAt);
}

/** What most tasks share, of those that run not even by then: a hundred thousand that have succeeded at once need no more than one. A cache that nobody can observe: what is in it is never changed, and compared by its values. */
const sharedStates: Partial<Record<TaskState, Announced>> = {};

function announcing(state: TaskState, attempt: number, startedAt: number | null): Announced {
  const shared = sharedStates[state];
  if (shared?.attempt === attempt && shared.startedAt === startedAt) return shared;
  const announced = { state, attempt, startedAt };
  if (startedAt === null) sharedStates[state] = announced;
  return announced;
}

function attemptOf({ view }: HistoryStep): number {
  return view().attempt;
}

function announcedOf({ state, view }: HistoryStep): Announced {
  const { attempt, startedAt } = view();
  return { state, attempt, startedAt: state === 'running' ? startedAt : null };
}

function isFinal({ state }: Announced): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

function isSame(a: Announced, b: Announced): boolean {
  return a.state === b.state && a.attempt === b.attempt && a.startedAt === b.startedAt;
}

/** As the records say; a run that a person made may have none. */
function timeOf(entry: TaskEntry, { state, view }: HistoryStep, next: TaskView | undefined, now: number): number {
  const { attempt, startedAt, finishedAt } = view();
  if (finishedAt !== null) return finishedAt;
  if (state === 'running') return startedAt ?? next?.finishedAt ?? now;
  return waitingSince(entry, state, attempt);
}

/** Scheduled from when it came into being or its last attempt ended, queued from then on or from its time. */
function waitingSince(entry: TaskEntry, state: TaskState, attempt: number): number {
  const last = entry.attempts.get(attempt);
  const ended = last && last !== 'unread' ? last : null;
  const createdAt = entry.fact === null || entry.fact === 'unread' ? 0 : entry.fact.createdAt;
  const since = ended?.finishedAt ?? createdAt;
  const due = earliestStart(
    ended?.retryAt ?? null,
    briefOf(entry),
    entry.unblockedAt === 'unread' ? null : entry.unblockedAt,
  );
  return state === 'scheduled' || due === Infinity ? since : Math.max(since, due);
}

function eventOf({ id }: TaskEntry, { type, queue, state, attempt, worker }: TaskView, at: number): TaskEvent {
  return { id, type, queue, state, attempt, worker, at };
}
