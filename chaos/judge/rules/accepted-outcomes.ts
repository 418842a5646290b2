// One accepted outcome each: what is recorded as the outcome of an attempt comes from a run that took place, on that worker and under that
// number, and that had not been followed by another when it was recorded. The result of a task is what that very run returned. Pure.

import type { AttemptRecord } from '../../../domain/task.ts';
import type { Finding, History, Rule } from '../history.ts';
import { type Claim, claimOf } from '../result-claim.ts';
import { linesOf, type Run } from '../runs.ts';
import { type Kept, type KeptTask, taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const acceptedOutcomes: Rule = {
  name: 'accepted-outcomes',
  *check(history, tally) {
    const types = history.typesWithEvidence;
    for (const task of history.tasks.values()) {
      if (!types.has(task.record?.type ?? '')) continue;
      yield* success(history, task, tally);
      for (const attempt of task.attempts.values()) yield* failure(history, task, attempt, tally);
    }
  },
};

function* success(history: History, task: KeptTask, tally: Tally): Generator<Finding> {
  const { id, status, record, attempts } = task;
  if (status?.record.state !== 'succeeded') return;
  const runs = history.runsOf(id);
  const claim = claimOf(status.record.result);
  // A command may be one that leaves no evidence.
  if (!claim && runs.length === 0 && record?.type === 'shell') return;
  tally.add('successes compared with evidence');
  const run = claim && runs.find(({ token }) => token === claim.token);
  const evidence = () => [...taskLines(history.tree, id), ...runs.flatMap(linesOf)];
  if (!run) yield { what: `${id} succeeded with a result that no run has returned`, evidence: evidence() };
  else {
    const wrong = [...mismatches(run, claim, status.record), ...isOvertaken(run, runs, status.czxid)];
    if (attempts.has(status.record.attempt)) wrong.push('its attempt is recorded as one that did not succeed');
    for (const what of wrong) yield { what: `the accepted run ${run.token} of ${id}: ${what}`, evidence: evidence() };
  }
}

function mismatches(run: Run, claim: Claim, accepted: { attempt: number; worker: string | null }): string[] {
  const wrong: string[] = [];
  if (run.end?.how !== 'returned') wrong.push('it never returned');
  if (run.attempt !== accepted.attempt || claim.attempt !== accepted.attempt) wrong.push('it was another attempt');
  if (run.pid !== claim.pid || run.life?.id !== accepted.worker) wrong.push('it took place on another worker');
  return wrong;
}

/** Once a later run is assigned the task was taken away from this one. */
function isOvertaken(run: Run, runs: readonly Run[], recordedBy: bigint): string[] {
  if (run.token >= recordedBy) return ['it was recorded before it was assigned'];
  const later = runs.find(({ token }) => token > run.token && token < recordedBy);
  return later ? [`run ${later.token} had been assigned before it was recorded`] : [];
}

const threadEnded = 'the thread of the handler ended';

/**
 * Of an attempt that a handler made fail. One whose thread could not be started leaves no evidence, nor does a command that is killed before it
 * has written any: by its guardian, say, while its worker goes on.
 */
function* failure(
  history: History,
  task: KeptTask,
  { record, czxid }: Kept<AttemptRecord>,
  tally: Tally,
): Generator<Finding> {
  const { id } = task;
  const { attempt, worker, outcome, error } = record;
  if (outcome !== 'failed' || error?.code !== 'handler_error') return;
  tally.add('failures compared with evidence');
  const runs = history.runsOf(id);
  const run = runs.findLast((each) => each.attempt === attempt && each.life?.id === worker && each.token < czxid);
  const evidence = () => [...taskLines(history.tree, id), ...runs.flatMap(linesOf)];
  const isCommand = task.record?.type === 'shell';
  if (!run) {
    if (!isCommand && !error.message.startsWith(threadEnded))
      yield { what: `attempt ${attempt} of ${id} failed, and never ran`, evidence: evidence() };
    return;
  }
  const wrong = isOvertaken(run, runs, czxid);
  if (run.end && run.end.how !== 'threw' && !isCommand) wrong.push(`it ${run.end.how}, and is recorded as failed`);
  for (const what of wrong) yield { what: `attempt ${attempt} of ${id}: ${what}`, evidence: evidence() };
}
