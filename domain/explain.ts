// Why a task is not running, as the leading master sees it: the questions of task-phase.ts and plan.ts in their order, each with
// what there is to say when the answer is no. Pure.

import { assignmentOf, isKnown, snapshotOf, stateOf, workerOf } from './entry-state.ts';
import { explainAlone } from './explain-alone.ts';
import { fleetCauses, lastingCauses } from './explain-fleet.ts';
import { dependencyCause, keyCause } from './explain-precedence.ts';
import { type Cause, cause, counted, explanationOf, type TaskExplanation, timeText } from './explanation.ts';
import type { TaskId } from './task.ts';
import { briefOf, type TaskEntry } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';
import { reviewAt } from './withdrawal.ts';

/** To be asked between two rounds of the planner, at the time that the index has advanced to, epoch ms. */
export function explainTask(index: TaskIndex, id: TaskId, now: number): TaskExplanation {
  const entry = index.tasks.get(id);
  if (!entry) return explanationOf({ id, state: null, type: null, queue: null }, [notSeenYet]);
  const brief = briefOf(entry);
  const [first = notSeenYet, ...others] = causesOf(index, entry, now);
  const state = stateOf(entry, now);
  return explanationOf({ id, state, type: brief?.type ?? null, queue: brief?.queue ?? null }, [first, ...others]);
}

const notSeenYet = cause('not_seen_yet', 'The leading master has not read the task yet: ask again in a moment.');

function causesOf(index: TaskIndex, entry: TaskEntry, now: number): Cause[] {
  const { fact, status } = entry;
  if (fact === 'unread' && entry.forbidden) return [unreadable];
  if (fact === null || fact === 'unread' || status === 'unread') return [notSeenYet];
  if (status) return explainAlone(snapshotOf(entry), now);
  if (entry.goneUntil > now) return [notSeenYet];
  if (fact.content.kind === 'newer') return [newerVersion];
  if (entry.assignments.size > 0) return [runCause(index, entry, now)];
  if (entry.assigning !== null) return [aboutToRun(entry, entry.assigning)];
  if (entry.deferredUntil > now || (entry.pausedUntil > now && index.phase(entry) === 'unclear'))
    return [setAside(entry)];
  if (fact.content.kind === 'invalid') return [invalid(fact.content.why)];
  if (!isKnown(entry)) return [notSeenYet];
  return waitCauses(index, entry, now);
}

const unreadable = cause(
  'unreadable',
  'The masters may not read its data: its ACL in ZooKeeper forbids it, and has to be changed by who may.',
);
const newerVersion = cause(
  'newer_version',
  'Its record is of a newer version than the leading master is, which leaves it alone: upgrade the masters.',
);

function aboutToRun(entry: TaskEntry, worker: string): Cause {
  return cause('about_to_run', `It is being given to worker ${worker}.`, { since: entry.queuedSince, worker });
}

function setAside({ deferredUntil, pausedUntil, handBacks }: TaskEntry): Cause {
  const until = Math.max(deferredUntil, pausedUntil);
  const why =
    pausedUntil === until
      ? `Workers have handed it back ${counted(handBacks, 'time')} without an outcome`
      : 'A change of it was refused, mostly since something else changed at the same time';
  return cause('set_aside', `${why}; it is looked at again at ${timeText(until)}.`, { until });
}

function invalid(why: string): Cause {
  return cause('being_ended', `The leading master is ending it as failed, invalid_task: ${why}.`);
}

/** It is assigned to somebody. */
function runCause(index: TaskIndex, entry: TaskEntry, now: number): Cause {
  const assigned = assignmentOf(entry);
  const worker = workerOf(entry);
  if (!assigned) return cause('running', `Worker ${worker} has it.`, { worker });
  if (index.isLost(assigned.worker, assigned.fact)) {
    const message = `Worker ${worker} was lost while it ran the task: the leading master records that, and its next attempt follows if it has one.`;
    return cause('worker_lost', message, { since: assigned.fact.record.startedAt, worker });
  }
  const [run = notSeenYet] = explainAlone(snapshotOf(entry), now);
  if (run.reason !== 'withdrawing') return run;
  const until = now + Math.max(0, Math.ceil(reviewAt(entry, assigned.fact) - index.clocks.uptime));
  const message = `${run.message.slice(0, -1)}; at ${timeText(until)} it is taken away by force.`;
  return { ...run, message, until };
}

function waitCauses(index: TaskIndex, entry: TaskEntry, now: number): Cause[] {
  const own = explainAlone(snapshotOf(entry), now).map((its) =>
    its.reason === 'waits_for_tasks' ? dependencyCause(index, entry, its) : its,
  );
  const brief = briefOf(entry);
  if (!brief || isEnding(own)) return own;
  const key = keyCause(index, entry);
  const held = own.length > 0 || !key ? own : [key];
  return held.length > 0
    ? [...held, ...lastingCauses(index, entry, brief, now)]
    : fleetCauses(index, entry, brief, now);
}

function isEnding([first]: readonly Cause[]): boolean {
  return first?.reason === 'cancel_requested' || first?.reason === 'being_ended';
}
