// A retry runs a task again that failed or was cancelled: as one new task of the same marker, which names the old one, and which somebody asked for:
// each unknown retry has made one at most, and a refused one none. Pure.

import { type Finding, type History, line, type Rule } from '../history.ts';
import { answeredIds, type Retry } from '../requests.ts';
import { type KeptTask, taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const retries: Rule = {
  name: 'retries',
  *check(history, tally) {
    for (const call of history.requests.retries) yield* answer(history, call, tally);
    for (const task of history.tasks.values()) {
      const retries = history.lineages.retriesOf(task.id);
      for (const retry of retries) yield* ofEnded(history, task, retry);
    }
    yield* askedFor(history);
  },
};

function* answer({ tasks, tree }: History, call: Retry, tally: Tally): Generator<Finding> {
  tally.add(`retries ${call.outcome.is}`);
  if (call.outcome.is !== 'yes') return;
  const ids = answeredIds(call);
  if (ids.length !== 1) yield { what: `a retry was answered with ${ids.length} tasks`, evidence: [line(call)] };
  for (const id of ids) {
    const retryOf = tasks.get(id)?.record?.retryOf;
    if (retryOf === undefined || retryOf === call.request.id) continue;
    yield { what: `${id} is not a retry of ${call.request.id}`, evidence: [line(call), ...taskLines(tree, id)] };
  }
}

function* ofEnded({ tree }: History, { id, status, record }: KeptTask, retry: KeptTask): Generator<Finding> {
  const evidence = () => [...taskLines(tree, id), ...taskLines(tree, retry.id)];
  const state = status && status.czxid < retry.czxid ? status.record.state : 'unfinished';
  if (state !== 'failed' && state !== 'cancelled') {
    yield { what: `${retry.id} runs ${id} again, which was ${state}`, evidence: evidence() };
  }
  if (record?.labels['marker'] !== retry.record?.labels['marker']) {
    yield { what: `${retry.id} runs ${id} again, and has another marker`, evidence: evidence() };
  }
}

/** By the task that they run again. */
function* askedFor({ requests, lineages, tasks, tree }: History): Generator<Finding> {
  const originals = new Set([...tasks.values()].flatMap(({ record }) => record?.retryOf ?? []));
  for (const id of originals) {
    const calls = requests.retriesOf.get(id) ?? [];
    const unexplained = lineages.retriesOf(id).filter((task) => !requests.acknowledged.has(task.id));
    const mayHaveMade = unknownMakings(calls);
    if (unexplained.length <= mayHaveMade) continue;
    const what = `${unexplained.length} tasks run ${id} again, of which ${mayHaveMade} may have been asked for`;
    yield { what, evidence: [...calls.map(line), ...unexplained.flatMap((task) => taskLines(tree, task.id))] };
  }
}

/** One for each that is unknown; for those of one key together, unless its task is known. */
function unknownMakings(calls: readonly Retry[]): number {
  const unknown = calls.filter(({ outcome }) => outcome.is === 'unknown');
  const known = new Set(calls.filter(({ outcome }) => outcome.is === 'yes').map(({ request }) => request.key));
  const keyed = unknown.map(({ request }) => request.key).filter((key) => key !== null && !known.has(key));
  return unknown.filter(({ request }) => request.key === null).length + new Set(keyed).size;
}
