// Why a task is not running, as the leading master sees it: the questions of task-phase.ts and plan.ts in their order, each with
// what there is to say when the answer is no. Pure.

import { assignmentOf, isKnown, snapshotOf, stateOf, workerOf } from './entry-state.ts';
import { explainAlone, untilDeadline } from './explain-alone.ts';
import { fleetCauses, lastingCauses } from './explain-fleet.ts';
import { dependencyCause, keyCause } from './explain-precedence.ts';
import { type Cause, cause, counted, explanationOf, type TaskExplanation, timeText } from './explanation.ts';
import { limits } from './limits.ts';
import type { TaskId } from './task.ts';
import { briefOf, type TaskEntry } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';
import { withdrawalOf } from './withdrawal.ts';

/** To be asked between two rounds of the planner; `now` is the time that the index has advanced to, epoch ms. */
export function explainTask(index: TaskIndex, id: TaskId, now: number): TaskExplanation {
  const entry = index.tasks.get(id);
  if (!entry) return explanationOf({ id, state: null, type: null, queue: null }, [notSeenYet]);
  const brief = briefOf(entry);
  const [first = notSeenYet, ...others] = causesOf(index, entry, now);
  const state = stateOf(entry, now);
  return explanationOf({ id, state, type: brief?.type ?? null, queue: brief?.queue ?? null }, [first, ...others]);
}

const notSeenYet = cause(
  'not_seen_yet',
  'The leading master has not read the task yet: ask again in a moment; if this stays so, its ACL in ZooKeeper may hide it from the masters.',
);

function causesOf(index: TaskIndex, entry: TaskEntry, now: number): Cause[] {
  const { fact, status } = entry;
  if (fact === 'unread' && entry.forbidden) return [unreadable];
  if (fact === null || fact === 'unread') return [notSeenYet];
  if (status === 'unread') return [unreadCause(entry)];
  if (status) return explainAlone(snapshotOf(entry), now);
  if (entry.goneUntil > 0) return [notSeenYet];
  if (fact.content.kind === 'newer') return [newerVersion];
  if (fact.content.kind === 'ephemeral') return [ephemeral];
  if (entry.assignments.size > 0) return [runCause(index, entry, now)];
  if (entry.assigning !== null) return [aboutToRun(entry, entry.assigning)];
  if (entry.deferredUntil > 0) return [setAside(clockTimeOf(index, entry.deferredUntil))];
  if (fact.content.kind === 'invalid') return [invalid(fact.content.why)];
  if (!isKnown(entry)) return [unreadCause(entry)];
  return waitCauses(index, entry, now);
}

const changing = cause(
  'not_seen_yet',
  'The leading master is about to see a change of the task: ask again in a moment.',
);
const unreadable = cause(
  'unreadable',
  'The masters may not read it, or what is below it: an ACL in ZooKeeper forbids that, and has to be changed by who may.',
);
const newerVersion = cause(
  'newer_version',
  'A newer version of Taskkeeper than the leading master is wrote it, or what is below it, so it is left alone: upgrade the masters.',
);

const ephemeral = cause(
  'unreadable',
  'Its znode is ephemeral, so ZooKeeper lets it have no status and it is left alone: create it again without -e.',
);

/** Of a task of which something is not read, for a moment or for long. */
function unreadCause({ partUnreadable }: TaskEntry): Cause {
  if (partUnreadable === null) return notSeenYet;
  return partUnreadable === 'newer' ? newerVersion : unreadable;
}

function aboutToRun(entry: TaskEntry, worker: string): Cause {
  return cause('about_to_run', `It is being given to worker ${worker}.`, { since: entry.queuedSince, worker });
}

/** When it is that by uptime, in epoch ms. */
function clockTimeOf({ clocks: { now, uptime } }: TaskIndex, at: number): number {
  return Math.round(now + Math.max(0, at - uptime));
}

function setAside(until: number): Cause {
  const message = `A change of it was refused, mostly since something else changed at the same time; it is looked at again at ${timeText(until)}.`;
  return cause('set_aside', message, { until });
}

/** Null: it was not handed back lately, or not often. */
function pauseCause(index: TaskIndex, { pausedUntil, handBacks }: TaskEntry): Cause | null {
  if (pausedUntil === 0) return null;
  const until = clockTimeOf(index, pausedUntil);
  const message = `Workers have handed it back ${counted(handBacks, 'time')} without an outcome; it is given to one again at ${timeText(until)}.`;
  return cause('set_aside', message, { until });
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
  const { worker: id, fact } = assigned;
  const withdraw = withdrawalOf(entry, fact, index.clocks);
  // By the time that this is read the worker has been told; of a cancel only the mark can tell.
  const record = withdraw === 'cancelled' ? fact.record : { ...fact.record, withdraw };
  const [run = notSeenYet] = explainAlone({ ...snapshotOf(entry), assignment: { worker: id, record } }, now);
  if (fact.markedAt === null) return run;
  const until = fact.markedAt + limits.withdrawGraceMs;
  const message = `${run.message.slice(0, -1)}; at ${timeText(until)} it is taken away by force.`;
  return { ...run, message, until };
}

function waitCauses(index: TaskIndex, entry: TaskEntry, now: number): Cause[] {
  const own = explainAlone(snapshotOf(entry), now).map((its) =>
    its.reason === 'waits_for_tasks' ? dependencyCause(index, entry, its, now) : its,
  );
  const brief = briefOf(entry);
  if (!brief || isEnding(own)) return own;
  const [next] = [pauseCause(index, entry), keyCause(index, entry)].filter((its) => its !== null);
  const held = own.length > 0 || !next ? own : [next];
  if (held.length === 0 && entry.decided) return [changing];
  const causes =
    held.length > 0 ? [...held, ...lastingCauses(index, entry, brief, now)] : fleetCauses(index, entry, brief, now);
  return isNext(causes) ? causes : untilDeadline(causes, brief.deadlineAt);
}

function isNext([first]: readonly Cause[]): boolean {
  return first?.reason === 'about_to_run' || first?.reason === 'behind_others';
}

function isEnding([first]: readonly Cause[]): boolean {
  return first?.reason === 'cancel_requested' || first?.reason === 'being_ended';
}
