// Of tasks with one queue and type none is given to a worker while a better one waits: one of higher priority, or of the same and older. A task
// counts as waiting from when whoever leads must have known of it until its own first start was decided; decisions in between for worse ones pass it
// over. A refused commit can make that so for a moment, never again and again. Pure.

import { Heap } from '../../../domain/heap.ts';
import { allowances } from '../allowances.ts';
import { type Assignment, assignmentsOf, timesApart } from '../decisions.ts';
import { groupBy } from '../group-by.ts';
import type { Finding, History, Rule } from '../history.ts';
import { type KeptTask, taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const priorities: Rule = {
  name: 'priorities',
  *check(history, tally) {
    const kindOf = ({ record }: KeptTask) => record && `${record.queue} ${record.type}`;
    for (const group of groupBy(history.tasks.values(), kindOf).values()) {
      for (const [waiting, passes] of passedOver(history, group, tally)) yield* judged(history, waiting, passes);
    }
  },
};

/** A task that certainly waited for a worker, and for nothing else, all that time; epoch ms. */
interface Waiting {
  readonly task: KeptTask;
  readonly from: number;
  readonly to: number;
}

type Passes = Map<Waiting, Assignment[]>;

/** The best of those that wait is the one that is asked for; the others come after it. */
function passedOver(history: History, group: readonly KeptTask[], tally: Tally): Passes {
  const passes: Passes = new Map();
  const waiting = group.map((task) => waitOf(history, task)).filter((wait) => wait !== null);
  waiting.sort((a, b) => b.from - a.from);
  const assignments = group.flatMap(assignmentsOf).sort((a, b) => a.at - b.at);
  const open = new Heap<Waiting>((a, b) => goesFirst(a.task, b.task));
  for (const assignment of assignments) {
    for (let next = waiting.at(-1); next && next.from < assignment.at; next = waiting.at(-1)) {
      open.push(next);
      waiting.pop();
    }
    while ((open.peek()?.to ?? Infinity) <= assignment.at) open.pop();
    const best = open.peek();
    if (!best) continue;
    tally.add('priorities compared');
    if (goesFirst(best.task, assignment.task)) passes.set(best, [...(passes.get(best) ?? []), assignment]);
  }
  return passes;
}

function* judged({ tree }: History, { task }: Waiting, passes: readonly Assignment[]): Generator<Finding> {
  if (timesApart(passes.map(({ at }) => at)) < allowances.passes) return;
  const what = `${task.id}, of priority ${task.record?.priority}, waited while ${passes.length} that come after it were given to workers`;
  const others = passes.slice(0, allowances.passes).flatMap((passed) => taskLines(tree, passed.task.id));
  yield { what, evidence: [...taskLines(tree, task.id), ...others] };
}

function goesFirst(a: KeptTask, b: KeptTask): boolean {
  const [first, second] = [a.record?.priority ?? 0, b.record?.priority ?? 0];
  if (first !== second) return first > second;
  return a.czxid < b.czxid || (a.czxid === b.czxid && a.number < b.number);
}

/**
 * Null where it did not wait for a worker alone; and where a worker was told to stop meanwhile: it may have been given to that one, and
 * handed back.
 */
function waitOf(history: History, task: KeptTask): Waiting | null {
  const { record, czxid, after, cancelledBy } = task;
  const first = assignmentsOf(task).find(({ attempt }) => attempt === 1);
  if (!record || !first || after.length > 0 || record.exclusiveKey !== null || cancelledBy !== null) return null;
  const from = Math.max(history.decisions.knownAt(czxid), (record.runAt ?? 0) + allowances.clocksMs);
  if (from >= first.at) return null;
  const [began, ended] = [history.momentOf(from), history.momentOf(first.at)];
  const isStopped = history.faults.spans.some(({ fault, from: at }) => fault === 'stop' && at >= began && at <= ended);
  return isStopped ? null : { task, from, to: first.at };
}
