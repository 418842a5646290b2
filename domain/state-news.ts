// What there is to announce of a task: the states that it has gone through since the last one that was announced. A master
// learns of a change by an event and of what it says by a read after it, so that it may see a task queued and next see it
// ended; what lay in between is told from the records (task-history.ts). Pure.

import { isKnown, snapshotOf, stateOf } from './entry-state.ts';
import type { TaskEvent } from './master-index.ts';
import { type Announced, briefOf, type TaskEntry } from './task-entry.ts';
import { type HistoryStep, taskHistory } from './task-history.ts';
import type { TaskView } from './task-view.ts';

/** Notes the present state of the task as announced, where all of it is known; nobody is told. */
export function takeAsAnnounced(entry: TaskEntry, now: number): void {
  if (isKnown(entry)) entry.announced = presentOf(entry, now);
}

/** The states to announce, oldest first, which are then taken as announced. None while a fact that it needs is unread. */
export function takeNews(entry: TaskEntry, now: number): TaskEvent[] {
  if (!isKnown(entry)) return [];
  const present = presentOf(entry, now);
  const seen = entry.announced;
  if (!present || (seen && isSame(seen, present))) return [];
  const news = newsAfter(seen, taskHistory(snapshotOf(entry), now));
  entry.announced = present;
  return news.map((step, i) => {
    const isHandedBack =
      i === 0 && seen?.state === 'running' && step.state === 'queued' && attemptOf(step) < seen.attempt;
    const next = news[i + 1]?.view();
    // That leaves no record: it was before the next run.
    const at = isHandedBack ? (next?.startedAt ?? now) : timeOf(entry, step, next, now);
    return eventOf(entry, step.view(), at);
  });
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

/** As `taskHistory` has it at its end, without what came before. */
function presentOf(entry: TaskEntry, now: number): Announced | null {
  const state = stateOf(entry, now);
  if (state === null) return null;
  const { status } = entry;
  if (status && status !== 'unread') return { state, attempt: status.attempt, startedAt: null };
  const { assignment, attempts } = snapshotOf(entry);
  const attempt = assignment?.record.attempt ?? attempts.at(-1)?.attempt ?? 0;
  return { state, attempt, startedAt: assignment?.record.startedAt ?? null };
}

function attemptOf({ view }: HistoryStep): number {
  return view().attempt;
}

function announcedOf({ state, view }: HistoryStep): Announced {
  const { attempt, startedAt } = view();
  return { state, attempt, startedAt: state === 'running' ? startedAt : null };
}

function isSame(a: Announced, b: Announced): boolean {
  return a.state === b.state && a.attempt === b.attempt && a.startedAt === b.startedAt;
}

/** As the records say; a run that a person made may have none. */
function timeOf(entry: TaskEntry, { state, view }: HistoryStep, next: TaskView | undefined, now: number): number {
  const { attempt, startedAt, finishedAt, submittedAt } = view();
  if (finishedAt !== null) return finishedAt;
  if (state === 'running') return startedAt ?? next?.finishedAt ?? now;
  const last = entry.attempts.get(attempt);
  const ended = last && last !== 'unread' ? last : null;
  const since = ended?.finishedAt ?? submittedAt;
  if (state === 'scheduled') return since;
  return Math.max(since, ended?.retryAt ?? briefOf(entry)?.runAt ?? 0);
}

function eventOf({ id }: TaskEntry, { type, queue, state, attempt, worker }: TaskView, at: number): TaskEvent {
  return { id, type, queue, state, attempt, worker, at };
}
