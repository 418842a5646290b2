// Each run belongs to an attempt that was its turn: an assignment is run once, its number is what the attempts before it left, no more than
// `maxAttempts`, none follows the last one or the end of the task, and one that is run under the same number again was handed back by a
// worker that had been told to stop. All but the last by transactions alone. What is wrong in the tree by itself, the audit says. Pure.

import { allowances } from '../allowances.ts';
import type { Finding, History, Rule } from '../history.ts';
import { linesOf, type Run } from '../runs.ts';
import { type KeptTask, taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const attempts: Rule = {
  name: 'attempts',
  *check(history, tally) {
    for (const run of history.runs) {
      tally.add('runs');
      if (run.end === null) tally.add('runs that were cut off');
      if (run.starts.length > 1)
        yield { what: `run ${run.token} of ${run.task} began ${run.starts.length} times`, evidence: linesOf(run) };
      const task = history.tasks.get(run.task);
      if (task) yield* inTurn(history, task, run);
    }
    for (const task of history.tasks.values()) {
      for (const { record } of task.attempts.values()) tally.add(`attempts ${record.outcome}`);
      yield* numbers(history, task, tally);
    }
  },
};

function* inTurn({ tree }: History, task: KeptTask, run: Run): Generator<Finding> {
  const { token, attempt } = run;
  const evidence = () => [...linesOf(run), ...taskLines(tree, task.id)];
  for (const what of wrongTurns(task, run)) {
    yield { what: `run ${token} of ${task.id}, attempt ${attempt}, ${what}`, evidence: evidence() };
  }
}

function* wrongTurns({ czxid, record, status, attempts }: KeptTask, { token, attempt }: Run): Generator<string> {
  const before = attempts.get(attempt - 1);
  const own = attempts.get(attempt);
  const { maxAttempts = 1 } = record ?? {};
  if (attempt > maxAttempts) yield `is more than the ${maxAttempts} that it may have`;
  if (token <= czxid) yield 'was assigned before there was the task';
  if (attempt > 1 && !before) yield 'follows one that was never recorded';
  if (before && token <= before.czxid) yield 'was assigned before the last one was over';
  if (before && before.record.retryAt === null) yield 'follows one that was the last';
  if (own && token >= own.czxid) yield 'was assigned after it was recorded as over';
  if (status && token >= status.czxid) yield 'was assigned after the end of the task';
}

/** Of the runs with one number all but the last were handed back. */
function* numbers(history: History, task: KeptTask, tally: Tally): Generator<Finding> {
  const runs = history.runsOf(task.id);
  for (const [place, run] of runs.entries()) {
    const next = runs[place + 1];
    if (next && next.attempt < run.attempt) {
      yield {
        what: `attempt ${next.attempt} of ${task.id} was assigned after attempt ${run.attempt}`,
        evidence: [...linesOf(run), ...linesOf(next)],
      };
    }
    if (next?.attempt !== run.attempt) continue;
    tally.add('runs handed back');
    if (wasStopped(history, run, next)) continue;
    const what = `attempt ${run.attempt} of ${task.id} was run twice, and no worker had been told to stop`;
    yield { what, evidence: [...linesOf(run), ...linesOf(next), ...taskLines(history.tree, task.id)] };
  }
}

/** Its worker was told to stop before the next run began, in the same life. */
function wasStopped({ faults }: History, { life }: Run, next: Run): boolean {
  if (!life) return false;
  const until = Math.min(next.startAt, life.exit?.at ?? Infinity) + allowances.signalMs;
  return faults.of(life.id).some(({ fault, from }) => fault === 'stop' && from >= life.from && from <= until);
}
