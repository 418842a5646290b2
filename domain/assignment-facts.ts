// What an assignment that comes or goes says of its task. Pure.

import { limits } from './limits.ts';
import type { WorkerId } from './task.ts';
import {
  type AssignmentFact,
  type HeldFact,
  type TaskEntry,
  type Unread,
  withoutKey,
  withValue,
} from './task-entry.ts';
import type { Clocks } from './withdrawal.ts';

/** `isNews`: it has just been made, as far as we have not seen it before. */
export function noteAssigned(
  entry: TaskEntry,
  worker: WorkerId,
  fact: AssignmentFact | Unread,
  clocks: Clocks,
  isNews: boolean,
): void {
  entry.assignments = withValue(
    entry.assignments,
    worker,
    heldFact(entry.assignments.get(worker), fact, clocks, isNews),
  );
  entry.goneUntil = 0;
  if (entry.assigning === worker) entry.assigning = null;
}

/**
 * An outcome comes before the end of its assignment, so an assignment that ends without one was handed back. Once is a
 * worker that stops; a task that comes back again and again waits longer each time, or it would go round for ever.
 */
export function noteUnassigned(entry: TaskEntry, worker: WorkerId, uptime: number): void {
  const assignment = entry.assignments.get(worker);
  entry.assignments = withoutKey(entry.assignments, worker);
  const attempt = assignment === undefined || assignment === 'unread' ? null : assignment.record.attempt;
  if (entry.status !== null || attempt === null || entry.attempts.has(attempt)) return;
  entry.handBacks += 1;
  if (entry.handBacks < 2) return;
  entry.pausedUntil = uptime + Math.min(limits.handBackPauseMsMax, 250 * 2 ** entry.handBacks);
}

/**
 * Of a run that began before this master knew of any the clocks have to tell how long ago, and they may be wrong; of all others, and
 * from the first look on, only its uptime counts.
 */
function heldFact(
  before: HeldFact | Unread | undefined,
  fact: AssignmentFact | Unread,
  { now, uptime }: Clocks,
  isNews: boolean,
): HeldFact | Unread {
  if (fact === 'unread') return fact;
  const known = before && before !== 'unread' && before.czxid === fact.czxid ? before : null;
  const { startedAt, withdraw } = fact.record;
  const agoMs = isNews ? 0 : Math.max(0, now - (startedAt ?? fact.createdAt));
  const began = known?.began ?? uptime - agoMs;
  const withdrawnAt = withdraw === null ? null : (known?.withdrawnAt ?? uptime);
  const markedAt = withdraw === null ? null : (known?.markedAt ?? now);
  const { czxid, version, createdAt, record } = fact;
  return { czxid, version, createdAt, record, began, withdrawnAt, markedAt };
}
