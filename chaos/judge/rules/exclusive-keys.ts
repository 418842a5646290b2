// Tasks of one exclusive key never run at the same time (with what excuses a run that could not be ended), and each begins when all that
// were submitted before it are final; docs/order.md says who steps aside. The order goes by transactions alone. Pure.

import { groupBy } from '../group-by.ts';
import type { Finding, History, Rule } from '../history.ts';
import { excuseFor } from '../overlap-excuses.ts';
import { overlaps } from '../overlaps.ts';
import { linesOf, type Run } from '../runs.ts';
import { byCreation, type KeptTask, taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const exclusiveKeys: Rule = {
  name: 'exclusive-keys',
  *check(history, tally) {
    const runs = groupBy(history.runs, ({ task }) => keyOf(history, task));
    for (const [key, ofKey] of runs) yield* together(history, key, ofKey, tally);
    const tasks = groupBy(history.tasks.values(), ({ record }) => record?.exclusiveKey ?? null);
    for (const [key, ofKey] of tasks) yield* outOfTurn(history, key, ofKey, tally);
  },
};

/** Of a task that is gone the submit tells the key. */
function keyOf({ tasks, requests }: History, id: string): string | null {
  const record = tasks.get(id)?.record;
  if (record) return record.exclusiveKey;
  const { call, place } = requests.acknowledged.get(id) ?? {};
  if (call?.request.operation !== 'submit' || place === undefined) return null;
  return call.request.tasks[place]?.exclusiveKey ?? null;
}

function* together(history: History, key: string, runs: readonly Run[], tally: Tally): Generator<Finding> {
  tally.add('runs with an exclusive key', runs.length);
  for (const { older, newer } of overlaps(runs)) {
    if (older.task === newer.task) continue; // judged as runs of one task
    const excuse = excuseFor(history, older, newer);
    if (excuse) {
      tally.add(`overlapping runs of a key, one ${excuse}`);
      continue;
    }
    const what = `key ${key}: ${older.task} still ran ${Math.round(older.lastAt - newer.startAt)} ms after ${newer.task} had begun`;
    yield { what, evidence: [...linesOf(older), ...linesOf(newer)] };
  }
}

function* outOfTurn(history: History, key: string, tasks: KeptTask[], tally: Tally): Generator<Finding> {
  const { lineages, tree } = history;
  /** Of those before the one that ended last, or never. */
  let last: KeptTask | null = null;
  for (const task of tasks.sort(byCreation)) {
    const [first] = history.runsOf(task.id);
    if (first && last) {
      tally.add('exclusive pairs compared');
      if (first.token <= (endOf(last) ?? first.token)) {
        const what = `key ${key}: ${task.id} was run before ${last.id}, which came before it, had ended`;
        yield { what, evidence: [...linesOf(first), ...taskLines(tree, last.id), ...taskLines(tree, task.id)] };
      }
    }
    if (!lineages.mayStepAside(task) && (last === null || endsLater(task, last))) last = task;
  }
}

function endOf({ status }: KeptTask): bigint | null {
  return status?.czxid ?? null;
}

function endsLater(task: KeptTask, than: KeptTask): boolean {
  const [end, other] = [endOf(task), endOf(than)];
  return other !== null && (end === null || end > other);
}
