// Why a run of a handler may still have gone on when the next one of its task or key had begun: its worker stood still past its session, or the
// master had taken the task away by force, as it says it does with what heeds no signal. Pure.

import { limits } from '../../domain/limits.ts';
import { deadlineOf } from '../../domain/task-view.ts';
import type { Moment } from '../record.ts';
import { allowances } from './allowances.ts';
import type { History } from './history.ts';
import { losingPause } from './pauses.ts';
import type { Run } from './runs.ts';
import type { KeptTask } from './tasks.ts';

export type Excuse = 'frozen' | 'stalled' | 'taken by force';

/** Null: there is none. */
export function excuseFor(history: History, older: Run, newer: Run): Excuse | null {
  const pause = losingPause(history, older, newer.startAt);
  if (pause) return pause;
  const task = history.tasks.get(older.task);
  const isForced = task && wasTakenByForce(task, older) && mayBeForcedAt(history, task, older) <= newer.startAt;
  return isForced ? 'taken by force' : null;
}

const byForce = 'did not end it when it was told to';
/** Types of the traffic whose handlers heed no signal. */
const heedless: ReadonlySet<string> = new Set(['deaf', 'blocking']);

/** The error of the attempt says so; of a cancel only the task's version does, which then grew. */
function wasTakenByForce({ version, record, status, attempts }: KeptTask, { attempt }: Run): boolean {
  if (version === 0 || !heedless.has(record?.type ?? '')) return false;
  const isCancelled = status?.record.state === 'cancelled' && status.record.attempt === attempt;
  return isCancelled || (attempts.get(attempt)?.record.error?.message.includes(byForce) ?? false);
}

/** At the earliest: a grace after a cancel was asked for, after the deadline, or after a timeout that its worker should have kept to. */
function mayBeForcedAt(history: History, { id, record, attempts }: KeptTask, { attempt, startAt }: Run): Moment {
  if (!record) return Infinity;
  const { startedAt = null } = attempts.get(attempt)?.record ?? {};
  const begun = startedAt === null ? startAt : Math.min(startAt, history.momentOf(startedAt));
  const cancels = (history.requests.cancelsOf.get(id) ?? []).map(({ from }) => from);
  const timeout = begun + record.timeoutMs + limits.timeoutGraceMs;
  const deadline = history.momentOf(deadlineOf(record) ?? Infinity);
  return Math.min(...cancels, timeout, deadline) + limits.withdrawGraceMs - allowances.clocksMs;
}
