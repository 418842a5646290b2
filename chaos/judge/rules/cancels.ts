// A task is cancelled only where somebody asked for it, and one that was asked for is, unless the end of its run came first: once whoever leads has
// certainly heard of it, no attempt begins, and no other end is accepted when masters have had the time to take the run back. Pure.

import { allowances } from '../allowances.ts';
import { assignmentsOf } from '../decisions.ts';
import { type Finding, type History, line, type Rule } from '../history.ts';
import { type KeptTask, taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const cancels: Rule = {
  name: 'cancels',
  *check(history, tally) {
    for (const task of history.tasks.values()) {
      yield* wasAsked(history, task, tally);
      if (task.cancelledBy !== null) yield* isDone(history, task, task.cancelledBy, tally);
    }
    yield* areKept(history, tally);
  },
};

/** A schedule may replace its tasks. */
function* wasAsked(history: History, task: KeptTask, tally: Tally): Generator<Finding> {
  const { id, status, record, cancelledBy } = task;
  if (status?.record.state !== 'cancelled' || record?.schedule) return;
  tally.add('tasks cancelled');
  const calls = history.requests.cancelsOf.get(id) ?? [];
  const evidence = () => [...calls.map(line), ...taskLines(history.tree, id)];
  if (!calls.some(({ outcome }) => outcome.is !== 'no')) {
    yield { what: `${id} was cancelled, and whoever asked for it was refused, or nobody did`, evidence: evidence() };
  }
  if (cancelledBy === null || cancelledBy >= status.czxid) {
    yield { what: `${id} was cancelled without a request in the tree`, evidence: evidence() };
  }
}

function* isDone(history: History, task: KeptTask, cancelledBy: bigint, tally: Tally): Generator<Finding> {
  const { id, status } = task;
  const knownAt = history.decisions.knownAt(cancelledBy);
  const evidence = () => taskLines(history.tree, id);
  const late = assignmentsOf(task).find(({ at }) => at > knownAt);
  if (late) yield { what: `attempt ${late.attempt} of ${id} began when its cancel was known`, evidence: evidence() };
  if (!status || status.record.state === 'cancelled') return;
  tally.add('cancels that came too late');
  if (history.decisions.actsBetween(knownAt, status.record.finishedAt) >= allowances.acts) {
    yield { what: `${id} ended ${status.record.state} long after its cancel was known`, evidence: evidence() };
  }
}

function* areKept({ requests, tasks, tree }: History, tally: Tally): Generator<Finding> {
  for (const [id, calls] of requests.cancelsOf) {
    const call = calls.find(({ outcome }) => outcome.is === 'yes');
    const task = tasks.get(id);
    if (!call || !task) continue;
    tally.add('cancels acknowledged');
    if (task.cancelledBy !== null) continue;
    const evidence = [line(call), ...taskLines(tree, id)];
    yield { what: `the request to cancel ${id} was acknowledged, and is not there`, evidence };
  }
}
