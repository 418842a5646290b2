// Nothing begins before its time: not before the delay of a submit, nor before the pause after a failed attempt, nor from the deadline on. Nothing
// takes much longer than it may: neither an attempt than its timeout nor a task than its deadline; and neither is over too soon. Pure.

import { limits } from '../../../domain/limits.ts';
import type { StatusRecord, TaskRecord } from '../../../domain/task.ts';
import { deadlineOf } from '../../../domain/task-view.ts';
import { allowances, reportMs } from '../allowances.ts';
import { type Finding, type History, line, type Rule } from '../history.ts';
import { linesOf, type Run } from '../runs.ts';
import { type KeptTask, taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const times: Rule = {
  name: 'times',
  *check(history, tally) {
    yield* delays(history, tally);
    for (const task of history.tasks.values()) {
      const { id, record, status } = task;
      const wrong = [...starts(task), ...timeouts(history, task)];
      if (record && status) wrong.push(...deadline(history, record, status.record, tally));
      for (const what of wrong) yield { what: `${id} ${what}`, evidence: taskLines(history.tree, id) };
    }
    for (const run of history.runs) yield* runTimes(history, run, tally);
  },
};

/** Counted from when the first call that asked for it was sent: the gateway took it after that. */
function* delays(history: History, tally: Tally): Generator<Finding> {
  const { requests } = history;
  for (const [id, { call, place }] of requests.acknowledged) {
    const spec = call.request.operation === 'submit' ? call.request.tasks[place] : undefined;
    const [first] = history.runsOf(id);
    if (!spec?.delayMs || !first) continue;
    tally.add('delays compared');
    const calls = (requests.byMarker.get(spec.marker) ?? []).map((asked) => asked.call);
    const sentAt = Math.min(...calls.map(({ from }) => from));
    const earlyMs = sentAt + spec.delayMs - first.startAt;
    if (earlyMs <= allowances.clocksMs) continue;
    const what = `${id} ran ${Math.round(earlyMs)} ms before its delay of ${spec.delayMs} ms was over`;
    yield { what, evidence: [...calls.map(line), ...linesOf(first)] };
  }
}

/** As masters say, by their clock, when they assigned each attempt. */
function* starts({ record, attempts, status }: KeptTask): Generator<string> {
  const assigned = new Map([...attempts].map(([number, attempt]) => [number, attempt.record.startedAt]));
  if (status) assigned.set(status.record.attempt, status.record.startedAt);
  for (const [number, at] of assigned) {
    if (at === null) continue;
    const due = dueOf({ record, attempts }, number);
    if (at < due) yield `began attempt ${number} ${due - at} ms before its time`;
    if (at >= (deadlineOf(record) ?? Infinity)) yield `began attempt ${number} when its deadline had passed`;
  }
}

/** When the attempt may begin, epoch ms. */
function dueOf({ record, attempts }: Pick<KeptTask, 'record' | 'attempts'>, attempt: number): number {
  return (attempt === 1 ? record?.runAt : attempts.get(attempt - 1)?.record.retryAt) ?? 0;
}

function* timeouts(history: History, { record, attempts, status }: KeptTask): Generator<string> {
  if (!record) return;
  for (const { record: attempt } of attempts.values()) {
    const lastedMs = attempt.finishedAt - (attempt.startedAt ?? -Infinity);
    if (attempt.error?.code === 'timeout' && lastedMs < record.timeoutMs - allowances.clocksMs) {
      yield `was out of time in attempt ${attempt.attempt} after ${lastedMs} of ${record.timeoutMs} ms`;
    }
  }
  if (status?.record.state !== 'succeeded') return;
  const { startedAt, finishedAt } = status.record;
  const lateMs = finishedAt - (startedAt ?? finishedAt) - record.timeoutMs;
  if (lateMs > reportMs(history.sessionTimeoutMs)) yield `succeeded ${lateMs} ms after its timeout`;
}

function* deadline(
  history: History,
  record: TaskRecord,
  { state, error, finishedAt }: StatusRecord,
  tally: Tally,
): Generator<string> {
  const at = deadlineOf(record);
  if (at === null) return;
  tally.add('tasks with a deadline');
  const lateMs = finishedAt - at;
  if (error?.code === 'expired') {
    tally.add('tasks that expired');
    if (lateMs < 0) yield `expired ${-lateMs} ms before its deadline`;
  }
  if (state === 'succeeded' && lateMs > reportMs(history.sessionTimeoutMs)) {
    yield `succeeded ${lateMs} ms after its deadline`;
  }
  const dueAt = at + limits.withdrawGraceMs;
  if (history.decisions.actsBetween(dueAt, finishedAt) >= allowances.acts)
    yield `ended ${lateMs} ms after its deadline`;
}

/** By the clock of the record. */
function* runTimes(history: History, run: Run, tally: Tally): Generator<Finding> {
  const { task: id, attempt, startAt } = run;
  const task = history.tasks.get(id);
  if (!task?.record) return;
  const evidence = () => [...linesOf(run), ...taskLines(history.tree, id)];
  const due = dueOf(task, attempt);
  if (due > 0) tally.add('runs that had to wait for their time');
  const earlyMs = history.momentOf(due) - startAt;
  if (earlyMs > allowances.clocksMs) {
    yield { what: `attempt ${attempt} of ${id} ran ${Math.round(earlyMs)} ms before its time`, evidence: evidence() };
  }
  const lateMs = activeMs(run) - task.record.timeoutMs;
  if (lateMs > allowances.deafMs) {
    yield {
      what: `attempt ${attempt} of ${id} went on ${Math.round(lateMs)} ms after its timeout`,
      evidence: evidence(),
    };
  }
}

/** Without the time in which its process was frozen, or stalled. */
function activeMs({ times: at }: Run): number {
  let sum = 0;
  for (const [place, to] of at.entries()) {
    const ms = to - (at[place - 1] ?? to);
    if (ms < allowances.stallMs) sum += ms;
  }
  return sum;
}
