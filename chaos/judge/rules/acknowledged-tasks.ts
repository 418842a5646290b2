// Nothing acknowledged is lost: each task that an answer promised is there at the end, in one final state, unless a client deleted it; one
// that was deleted is gone; and nobody was told that it does not exist while it did. Pure.

import { type Finding, type History, line, type Rule } from '../history.ts';
import { isOf } from '../requests.ts';
import { taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const acknowledgedTasks: Rule = {
  name: 'acknowledged-tasks',
  *check(history, tally) {
    yield* kept(history, tally);
    yield* ended(history, tally);
    yield* deleted(history, tally);
    yield* found(history, tally);
  },
};

function* kept({ requests, tasks }: History, tally: Tally): Generator<Finding> {
  for (const [id, { call }] of requests.acknowledged) {
    tally.add('tasks acknowledged');
    if (tasks.has(id)) continue;
    if (requests.mayBeDeleted(id)) tally.add('tasks deleted');
    else yield { what: `${id} was acknowledged, and is gone though nobody deleted it`, evidence: [line(call)] };
  }
}

/** Also what nobody was told of. */
function* ended({ requests, tasks, tree, lineages }: History, tally: Tally): Generator<Finding> {
  for (const task of tasks.values()) {
    const { id, status, hasOddStatus } = task;
    const call = requests.acknowledged.get(id)?.call;
    const evidence = () => [...(call ? [line(call)] : []), ...taskLines(tree, id)];
    if (hasOddStatus) yield { what: `${id} has a status that none of our processes writes`, evidence: evidence() };
    else if (status) tally.add(`tasks that ended ${status.record.state}`);
    else if (lineages.waitsForRetry(task)) tally.add('tasks that wait for a retry');
    else yield { what: `${id} has come to no final state`, evidence: evidence() };
  }
}

function* deleted({ requests, tasks, tree }: History, tally: Tally): Generator<Finding> {
  for (const [id, calls] of requests.deletesOf) {
    for (const call of calls) {
      if (call.outcome.is !== 'yes') continue;
      tally.add('deletes acknowledged');
      if (tasks.has(id))
        yield { what: `${id} was deleted and is there`, evidence: [line(call), ...taskLines(tree, id)] };
    }
  }
}

const notFound = 'task-not-found';

function* found({ calls, requests }: History, tally: Tally): Generator<Finding> {
  for (const call of calls) {
    const { request, outcome } = call;
    if (!('id' in request) || isOf(call, 'retry') || isOf(call, 'other')) continue;
    const acknowledged = requests.acknowledged.get(request.id)?.call;
    if (!acknowledged || acknowledged.to > call.from) continue;
    tally.add('calls about acknowledged tasks');
    if (outcome.is !== 'no' || outcome.reason !== notFound || requests.mayBeDeleted(request.id)) continue;
    const what = `${request.id} was acknowledged, and a later ${request.operation} was told that there is none`;
    yield { what, evidence: [line(acknowledged), line(call)] };
  }
}
