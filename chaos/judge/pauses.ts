// Whether a worker stood still for so long that it lost its session without knowing: then another may have its tasks while it still has them. What it
// runs shows that by the beats that are missing, whatever stopped it: a fault of ours, or a machine that gave it no processor. (A command of the
// shell is a process of its own, which is ended while its worker is frozen: only its own beats count.) A worker that is awake ends its runs by its own
// clock, before the ensemble ends its session. Pure.

import type { Moment } from '../record.ts';
import { allowances, leaseMarginMs, reconnectMs, renewalMs } from './allowances.ts';
import { assignmentsOf } from './decisions.ts';
import type { History } from './history.ts';
import type { Run } from './runs.ts';

/** From the last sign of life before it to the first one after it. */
interface Span {
  readonly from: Moment;
  readonly to: Moment;
}

/** Why the worker of `run` may have lost its session by `at` and not ended the run: it stood still, and ended it soon after. Null: it did not. */
export function losingPause(history: History, run: Run, at: Moment): 'frozen' | 'stalled' | null {
  const signs = run.startAt <= at ? run.times : signsUntilStart(history, run);
  const pauses = gapsIn(signs).filter(({ from }) => from < at);
  const losing = pauses.find(
    ({ from, to }) =>
      actedMs(signs, to) <= allowances.noticeMs && mayLoseSession(history, run, pauses, { from, to: Math.min(to, at) }),
  );
  if (!losing) return null;
  const isFrozen = troublesOf(history, run).some((trouble) => trouble.stopsIt && touches(trouble, losing));
  return isFrozen ? 'frozen' : 'stalled';
}

/**
 * Of its worker since the task was given to it: a run that has not begun is no sign that all of it stands still. Another run of it is one, and that it
 * was there to be frozen.
 */
function signsUntilStart(history: History, run: Run): Moment[] {
  const { life, attempt } = run;
  const task = history.tasks.get(run.task);
  const assigned = task && assignmentsOf(task).find((assignment) => assignment.attempt === attempt);
  const given = assigned ? history.momentOf(assigned.at) : (life?.from ?? -Infinity);
  const others = history.runs.filter((other) => other.life === life && !isCommand(history, other));
  const frozen = troublesOf(history, run).filter(({ stopsIt, to }) => stopsIt && to > given);
  const signs = [...others.flatMap(({ times }) => times), ...frozen.map(({ from }) => Math.max(from, given))];
  const until = signs.filter((time) => time >= given && time < run.startAt).sort((a, b) => a - b);
  return [...until, ...run.times];
}

function isCommand({ tasks }: History, { task }: Run): boolean {
  return tasks.get(task)?.record?.type === 'shell';
}

function gapsIn(signs: readonly Moment[]): Span[] {
  return signs.slice(1).map((to, place) => ({ from: signs[place] as Moment, to }));
}

/** From then on; where it was held up again, each time counts as a short one. */
function actedMs(signs: readonly Moment[], from: Moment): number {
  const acts = gapsIn(signs.filter((sign) => sign >= from));
  return acts.reduce((sum, act) => sum + Math.min(act.to - act.from, allowances.stallMs), 0);
}

/**
 * Of a pause. It began before the worker's own clock would have ended its runs, and at its end nobody had heard of the worker for so long that
 * its session may have been over.
 */
function mayLoseSession(history: History, run: Run, pauses: readonly Span[], { from, to }: Span): boolean {
  const { sessionTimeoutMs } = history;
  if (to - from < leaseMarginMs(sessionTimeoutMs)) return false;
  const unheardMs = to - unheardSince(history, run, pauses, from);
  return unheardMs >= sessionTimeoutMs - renewalMs(sessionTimeoutMs);
}

/** Back over all that kept it from renewing its lease, one right after the other, up to `at`; it had a session, so not longer than one lasts. */
function unheardSince(history: History, run: Run, pauses: readonly Span[], at: Moment): Moment {
  const { sessionTimeoutMs } = history;
  const stalls = pauses.filter(({ from, to }) => to - from >= allowances.stallMs);
  const troubles = troublesOf(history, run).map(({ from, to }) => ({ from, to: to + reconnectMs(sessionTimeoutMs) }));
  const backwards = [...stalls, ...troubles].sort((a, b) => b.to - a.to);
  let since = at;
  for (const { from, to } of backwards) if (to >= since) since = Math.min(since, from);
  return Math.max(since, at - sessionTimeoutMs);
}

interface Trouble extends Span {
  readonly stopsIt: boolean;
}

/** Faults of its worker, and of the ensemble, which may have been at the other end of its link. */
function troublesOf({ faults, processes }: History, { life }: Run): Trouble[] {
  const own = life ? faults.of(life.id) : [];
  const ensemble = processes.idsOf('zookeeper').flatMap((id) => faults.of(id));
  const stopping = own.filter(({ fault }) => fault === 'freeze' || fault === 'doze');
  return [...own, ...ensemble].map((span) => ({ from: span.from, to: span.to, stopsIt: stopping.includes(span) }));
}

function touches(a: Span, b: Span): boolean {
  return a.from <= b.to && a.to >= b.from;
}
