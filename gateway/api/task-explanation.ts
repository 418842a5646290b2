// Why a task is not running. What a task says by itself is read from the ensemble, everything else is asked of the leading
// master; where none leads, or it cannot be asked, that is part of the answer and no failure.

import { ServiceError } from '../../domain/errors.ts';
import { explainAlone } from '../../domain/explain-alone.ts';
import {
  type Cause,
  cause,
  type Explanation,
  explanationOf,
  type TaskExplanation,
  timeText,
} from '../../domain/explanation.ts';
import type { TaskId } from '../../domain/task.ts';
import { type TaskSnapshot, taskStateAt } from '../../domain/task-view.ts';
import type { KnownLeader, MasterIndex } from './master-index.ts';
import { taskNotFound } from './task-id.ts';
import type { TaskStore } from './task-store.ts';

/** Throws 'task-not-found'. */
export async function explainTask(store: TaskStore, index: MasterIndex, id: TaskId): Promise<Explanation> {
  try {
    return await explainReadable(store, index, id);
  } catch (error) {
    if (error instanceof ServiceError && error.reason === 'task-unreadable') return explainUnreadable(index, id, error);
    throw error;
  }
}

async function explainReadable(store: TaskStore, index: MasterIndex, id: TaskId): Promise<Explanation> {
  const snapshot = await store.read(id);
  if (!snapshot) throw taskNotFound(id);
  if (snapshot.status || runsUndisturbed(snapshot)) return byItself(snapshot, index.leader());
  const told = await ask(index, id);
  if (told === null) return byItself(snapshot, index.leader());
  if (told.reason !== 'not_seen_yet' && told.state !== null && !isFinal(told)) return asTold(told, snapshot, index);
  // It has ended or gone since, or the master is behind: the ensemble knows.
  const fresh = await store.readFresh(id);
  if (!fresh) throw taskNotFound(id);
  return fresh.status ? byItself(fresh, index.leader()) : asTold(told, fresh, index);
}

/** What hides something from us may hide it from the master, too, unknown to it: then that knows less than it says. */
async function explainUnreadable(index: MasterIndex, id: TaskId, { message }: ServiceError): Promise<Explanation> {
  const told = await ask(index, id);
  const leader = index.leader();
  if (told?.reason === 'newer_version' || told?.reason === 'unreadable') return { ...told, leader: addressOf(leader) };
  const other = told ?? masterCause(leader);
  const causes = other.reason === 'not_seen_yet' ? [] : [other];
  const task = { id, state: null, type: null, queue: null };
  return { ...explanationOf(task, [cause('unreadable', message), ...causes]), leader: addressOf(leader) };
}

/** Nobody wants to end it, so a master has nothing to add. */
function runsUndisturbed({ assignment, cancelRequested }: TaskSnapshot): boolean {
  return assignment !== null && assignment.record.withdraw === null && !cancelRequested;
}

function isFinal({ reason }: TaskExplanation): boolean {
  return reason === 'succeeded' || reason === 'failed' || reason === 'cancelled';
}

/** Null where no master of ours answers. */
async function ask(index: MasterIndex, id: TaskId): Promise<TaskExplanation | null> {
  try {
    return await index.explain(id);
  } catch (error) {
    if (error instanceof ServiceError && error.reason === 'no-leader') return null;
    throw error;
  }
}

function asTold(told: TaskExplanation, snapshot: TaskSnapshot, index: MasterIndex): Explanation {
  const { type, queue } = snapshot.record ?? { type: null, queue: null };
  return {
    ...told,
    message: messageOf(told, snapshot),
    state: told.state ?? taskStateAt(snapshot, Date.now()),
    type: told.type ?? type,
    queue: told.queue ?? queue,
    leader: addressOf(index.leader()),
  };
}

/** A master keeps no errors: why the last attempt failed is in the task. */
function messageOf({ reason, until, message }: TaskExplanation, snapshot: TaskSnapshot): string {
  if (reason !== 'backing_off') return message;
  const [own] = explainAlone(snapshot, Date.now());
  return own?.reason === reason && own.until === until ? own.message : message;
}

/** Without asking a master; that there is none to ask comes first where the task cannot go on without one. */
function byItself(snapshot: TaskSnapshot, leader: KnownLeader): Explanation {
  const now = Date.now();
  const own = explainAlone(snapshot, now);
  const master = snapshot.status || (leader.kind === 'ours' && runsUndisturbed(snapshot)) ? [] : [masterCause(leader)];
  const isStuck = !snapshot.assignment && (leader.kind === 'nobody' || leader.kind === 'stranger');
  const causes = isStuck ? [...master, ...own] : [...own, ...master];
  const state = taskStateAt(snapshot, now);
  const { type, queue } = snapshot.record ?? { type: null, queue: null };
  const [first = unknown, ...others] = causes;
  return {
    ...explanationOf({ id: snapshot.id, state, type, queue }, [first, ...others]),
    state,
    leader: addressOf(leader),
  };
}

const unknown = cause(
  'master_unreachable',
  'This gateway has no ZooKeeper session at the moment, so it cannot say who leads: ask again in a moment.',
);

function masterCause(leader: KnownLeader): Cause {
  switch (leader.kind) {
    case 'unknown':
      return unknown;
    case 'ours': {
      const { address, silentSince } = leader;
      const since = silentSince === null ? '' : ` since ${timeText(silentSince)}`;
      const message = `The leading master does not answer this gateway at ${address}${since}, so more cannot be said: it may be dead or cut off, and then another one leads within the session timeout and nothing is given to workers until it does; only if this stays so, see that the gateway reaches that address.`;
      return cause('master_unreachable', message, { since: silentSince });
    }
    case 'nobody': {
      const message = `No master leads since ${timeText(leader.since)}, as far as this gateway knows, and until one does nothing is given to workers: start one.`;
      return cause('no_master', message, { since: leader.since });
    }
    case 'stranger': {
      const message = `Somebody made /master by hand at ${timeText(leader.since)} and so leads: until it is gone no master of ours does, and only who made it gives tasks to workers.`;
      return cause('no_master', message, { since: leader.since });
    }
  }
}

function addressOf(leader: KnownLeader): string | null {
  return leader.kind === 'ours' ? leader.address : null;
}
