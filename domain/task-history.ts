// The states that a task has gone through, told from what is stored about it: its attempts, its run and its end keep their
// times, so that nobody has to have watched. A stream of a task's changes is what was added to that history since, however
// much time passed between two looks, and any gateway can go on where another stopped. A run that was handed back leaves
// no trace; then history goes a step back. Pure.

import type { TaskState, WorkerId } from './task.ts';
import { notBefore, type TaskSnapshot, type TaskView, taskView } from './task-view.ts';

export interface HistoryStep {
  /** The same for the same step at every look, in letters, digits and `-`. */
  readonly id: string;
  readonly state: TaskState;
  /** The task as it was then. */
  view(): TaskView;
}

/** A run of the task, whatever is known of it. */
interface Run {
  readonly attempt: number;
  readonly worker: string | null;
  readonly startedAt: number | null;
}

/** From the first state to the present one, which is always there. `now` in epoch ms. */
export function taskHistory(snapshot: TaskSnapshot, now: number): HistoryStep[] {
  const { attempts, status, assignment } = snapshot;
  const steps = attempts.flatMap((run, ended) => [
    ...waitingSteps(snapshot, ended, Infinity),
    runStep(snapshot, ended, run),
  ]);
  const present: HistoryStep = stepOf(taskView(snapshot, now));
  if (status) {
    const ran = status.worker !== null || status.startedAt !== null;
    const isRecorded = attempts.some(({ attempt }) => attempt === status.attempt);
    if (!ran) steps.push(...waitingSteps(snapshot, attempts.length, status.finishedAt));
    else if (!isRecorded) {
      const waited = waitingSteps(snapshot, attempts.length, Infinity);
      steps.push(...waited, runStep(snapshot, attempts.length, status));
    }
  } else {
    const until = assignment ? Infinity : now;
    const waited = waitingSteps(snapshot, attempts.length, until);
    steps.push(...(assignment ? waited : waited.slice(0, -1)));
  }
  return [...steps, present];
}

/** What of `history` is new to somebody who has seen the step `seen` last; null where that step is not in it. */
export function stepsAfter(history: readonly HistoryStep[], seen: string): HistoryStep[] | null {
  const at = history.findLastIndex(({ id }) => id === seen);
  return at < 0 ? null : history.slice(at + 1);
}

/** No times in the id: a run that is over has that of its worker, one that goes on that of the master. */
function stepOf(view: TaskView): HistoryStep {
  const { state, attempt } = view;
  return { id: `${attempt}-${state}`, state, view: () => view };
}

/** The task when `ended` of its attempts had ended and nothing more was known. */
function earlier(snapshot: TaskSnapshot, ended: number): TaskSnapshot {
  return { ...snapshot, status: null, assignment: null, attempts: snapshot.attempts.slice(0, ended) };
}

/** One step or two: it waited for its time, and from then on for a worker, if its time came before `until`. */
function waitingSteps(snapshot: TaskSnapshot, ended: number, until: number): HistoryStep[] {
  const then = earlier(snapshot, ended);
  const since = then.attempts.at(-1)?.finishedAt ?? snapshot.createdAt;
  const due = notBefore(then);
  const steps: HistoryStep[] = [];
  // A person may have it run while other tasks still hold it back: then it has never been queued.
  const isBlocked = due === Infinity;
  if (due > since || due > until) steps.push(stepOf(taskView(then, isBlocked ? since : due - 1)));
  if (due <= until && !isBlocked) steps.push(stepOf(taskView(then, due)));
  return steps;
}

function runStep(snapshot: TaskSnapshot, ended: number, { attempt, worker, startedAt }: Run): HistoryStep {
  const record = { attempt, startedAt, withdraw: null, progress: null };
  const then = { ...earlier(snapshot, ended), assignment: { worker: (worker ?? '') as WorkerId, record } };
  return stepOf({ ...taskView(then, 0), worker });
}
