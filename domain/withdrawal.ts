// When a running attempt is to be taken back from a worker that lives: its task was cancelled or has passed its deadline, or the
// attempt takes longer than its timeout, which the worker should have noticed first. The worker is told by a mark, which
// stands, whichever master made it; after a grace the task is taken away by force. Pure.

import { limits } from './limits.ts';
import type { WithdrawReason } from './task.ts';
import { briefOf, type HeldFact, type TaskBrief, type TaskEntry } from './task-entry.ts';

/** Two clocks: `now` in epoch ms, which people may set, for times that were agreed on; `uptime`, in ms, for how long something takes. */
export interface Clocks {
  readonly now: number;
  readonly uptime: number;
}

export function isExpired(brief: Pick<TaskBrief, 'deadlineAt'> | null, now: number): boolean {
  return (brief?.deadlineAt ?? Infinity) <= now;
}

/** Null: the run may go on. */
export function withdrawalOf(entry: TaskEntry, assignment: HeldFact, { now, uptime }: Clocks): WithdrawReason | null {
  const { withdraw } = assignment.record;
  if (withdraw !== null) return withdraw;
  if (entry.cancel !== null) return 'cancelled';
  if (isExpired(briefOf(entry), now)) return 'expired';
  return reviewAt(entry, assignment) <= uptime ? 'timed_out' : null;
}

/**
 * The uptime at which the run has to have ended: from then on it is marked, or, where it has been marked, taken away by
 * force. Infinity for what is no task.
 */
export function reviewAt(entry: TaskEntry, { began, withdrawnAt }: HeldFact): number {
  if (withdrawnAt !== null) return withdrawnAt + limits.withdrawGraceMs;
  return began + (briefOf(entry)?.timeoutMs ?? Infinity) + limits.timeoutGraceMs;
}

/** The earliest of those of its assignments that is still to come; Infinity where none is. */
export function nextReviewOf(entry: TaskEntry, uptime: number): number {
  let next = Infinity;
  for (const assignment of entry.assignments.values()) {
    const at = assignment === 'unread' ? Infinity : reviewAt(entry, assignment);
    if (at > uptime) next = Math.min(next, at);
  }
  return next;
}
