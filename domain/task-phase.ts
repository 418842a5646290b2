// Where a task stands for its master, computed from what is known of it: the order of the questions is the rule. Pure.

import { notBeforeOf } from './entry-state.ts';
import type { Precedence } from './precedence.ts';
import type { WorkerId } from './task.ts';
import { type AssignmentFact, briefOf, type TaskEntry } from './task-entry.ts';
import { type Clocks, isExpired, withdrawalOf } from './withdrawal.ts';

/**
 * `unclear`: left alone until the rest is known. `unsettled`: to be put right. `in_line`: its time has come, and other tasks have its
 * exclusive key or are before it. `foreign`: a newer version of us looks after it.
 */
export type Phase = 'unclear' | 'final' | 'running' | 'unsettled' | 'scheduled' | 'in_line' | 'ready' | 'foreign';

/** True where the assignment belongs to no living worker. */
type IsLost = (worker: WorkerId, assignment: AssignmentFact) => boolean;

export function phaseOf(entry: TaskEntry, clocks: Clocks, isLost: IsLost, precedence: Precedence): Phase {
  const { fact, status } = entry;
  const { now } = clocks;
  if (entry.decided || fact === 'unread' || status === 'unread') return 'unclear';
  if (entry.deferredUntil > 0 || entry.goneUntil > 0) return 'unclear';
  if (fact === null) return entry.assignments.size > 0 ? 'unsettled' : 'unclear';
  if (status) return entry.assignments.size > 0 ? 'unsettled' : 'final';
  if (fact.content.kind === 'newer' || fact.content.kind === 'ephemeral') return 'foreign';
  if (entry.assignments.size > 0) return needsAttention(entry, clocks, isLost) ? 'unsettled' : 'running';
  if (fact.content.kind === 'invalid' || entry.cancel) return entry.cancel === 'unread' ? 'unclear' : 'unsettled';
  if (isExpired(briefOf(entry), now)) return 'unsettled';
  const notBefore = notBeforeOf(entry);
  if (notBefore === 'unread') return 'unclear';
  if (notBefore === Infinity) return precedence.verdictOf(entry)?.kind === 'waits' ? 'scheduled' : 'unsettled';
  if (notBefore > now) return 'scheduled';
  if (entry.pausedUntil > 0) return 'unclear';
  return precedence.hasTurn(entry) ? 'ready' : 'in_line';
}

function needsAttention(entry: TaskEntry, clocks: Clocks, isLost: IsLost): boolean {
  if (entry.assignments.size > 1) return true;
  for (const [worker, assignment] of entry.assignments) {
    if (assignment === 'unread') continue;
    if (isLost(worker, assignment) || withdrawalOf(entry, assignment, clocks) !== null) return true;
  }
  return false;
}
