// A task with `after` runs only once it was let go: when all that it comes after had ended, and as its `afterFailure` says of those that did not
// succeed. One that failed for that reason had one that did not succeed. All by transactions. Pure.

import type { Finding, History, Rule } from '../history.ts';
import { answeredIds } from '../requests.ts';
import { linesOf } from '../runs.ts';
import { type KeptTask, taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const dependencies: Rule = {
  name: 'dependencies',
  *check(history, tally) {
    for (const task of history.tasks.values()) {
      if (task.after.length === 0) continue;
      tally.add('tasks that come after others');
      yield* ranTooSoon(history, task);
      yield* letGo(history, task, tally);
      yield* failedForNothing(history, task, tally);
    }
  },
};

function* ranTooSoon(history: History, { id, unblockedBy }: KeptTask): Generator<Finding> {
  const [first] = history.runsOf(id);
  if (!first || (unblockedBy !== null && first.token > unblockedBy)) return;
  yield { what: `${id} was run before it was let go`, evidence: [...linesOf(first), ...taskLines(history.tree, id)] };
}

/** What is gone says nothing: a client may have deleted it since. */
function* letGo(history: History, task: KeptTask, tally: Tally): Generator<Finding> {
  const { id, after, unblockedBy } = task;
  if (unblockedBy === null) return;
  for (const before of after) {
    const dependency = history.tasks.get(before);
    if (!dependency) continue;
    tally.add('dependencies compared');
    const { status } = dependency;
    const evidence = () => [...taskLines(history.tree, before), ...taskLines(history.tree, id)];
    if (!status || status.czxid >= unblockedBy) {
      yield { what: `${id} was let go before ${before} had ended`, evidence: evidence() };
    } else if (status.record.state !== 'succeeded' && !holdsNoLonger(history, before, task, unblockedBy)) {
      yield { what: `${id} was let go though ${before} ended ${status.record.state}`, evidence: evidence() };
    }
  }
}

/** Of one that did not succeed: that does not matter, or it was run again with success. A retry that is gone may have succeeded. */
function holdsNoLonger(
  { requests, lineages, tasks }: History,
  before: string,
  { record }: KeptTask,
  unblockedBy: bigint,
): boolean {
  if (record?.afterFailure === 'run') return true;
  if (record?.afterFailure !== 'wait') return false;
  const lineage = lineages.lineageOf(before);
  const hasSucceeded = lineage.some(({ status }) => status?.record.state === 'succeeded' && status.czxid < unblockedBy);
  const calls = [before, ...lineage.map(({ id }) => id)].flatMap((id) => requests.retriesOf.get(id) ?? []);
  return hasSucceeded || calls.some((call) => answeredIds(call).some((id) => !tasks.has(id)));
}

function* failedForNothing({ tasks, tree }: History, task: KeptTask, tally: Tally): Generator<Finding> {
  const { id, record, status, after } = task;
  if (status?.record.error?.code !== 'dependency_failed') return;
  tally.add('tasks that failed with one before them');
  const before = after.map((name) => tasks.get(name));
  const mayBe = before.some((dependency) => {
    if (!dependency) return true;
    const { state } = dependency.status?.record ?? {};
    const hasFailed = state !== undefined && state !== 'succeeded' && (dependency.status?.czxid ?? 0n) < status.czxid;
    return hasFailed && record?.afterFailure === 'fail';
  });
  if (!mayBe) {
    const evidence = [...taskLines(tree, id), ...after.flatMap((name) => taskLines(tree, name))];
    yield { what: `${id} failed since one before it did not succeed, and none did`, evidence };
  }
}
