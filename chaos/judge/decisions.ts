// What masters are known to have known, and to have done, from the assignments that they made: each says when it was decided (`startedAt`), and
// what was given away proves that everything older in the tree had been heard of by then. Events come to a master in the order of the transactions,
// and one that takes over begins with all of them. So no allowance for slow links or busy machines is needed. Pure.

import { firstWhere } from './first-where.ts';
import type { KeptTask } from './tasks.ts';

/** The decision to give a task to a worker, epoch ms by the clock of the master. */
export interface Assignment {
  readonly task: KeptTask;
  readonly attempt: number;
  readonly at: number;
}

/** Masters that decide so far apart, ms, have acted twice. */
const apartMs = 250;

export class Decisions {
  /** In the order in which they were decided. */
  readonly assignments: readonly Assignment[];
  /** For each the newest transaction that made any of the tasks up to there. */
  readonly #newest: readonly bigint[];

  constructor(tasks: Iterable<KeptTask>) {
    this.assignments = [...tasks].flatMap(assignmentsOf).sort((a, b) => a.at - b.at);
    let newest = 0n;
    this.#newest = this.assignments.map(({ task: { czxid } }) => {
      if (czxid > newest) newest = czxid;
      return newest;
    });
  }

  /** When whoever led had certainly heard of the transaction, epoch ms; Infinity where that cannot be told. */
  knownAt(czxid: bigint): number {
    const at = firstWhere(this.#newest.length, (place) => (this.#newest[place] as bigint) > czxid);
    return this.assignments[at]?.at ?? Infinity;
  }

  /** How often masters have acted after `from` and before `to`, counted as {@link timesApart}. */
  actsBetween(from: number, to: number): number {
    const first = firstWhere(this.assignments.length, (place) => (this.assignments[place] as Assignment).at > from);
    const end = firstWhere(this.assignments.length, (place) => (this.assignments[place] as Assignment).at >= to);
    return timesApart(this.assignments.slice(first, end).map(({ at }) => at));
  }
}

/** How many of these, ascending, are some time apart from each other. */
export function timesApart(times: Iterable<number>): number {
  let count = 0;
  let last = -Infinity;
  for (const at of times) {
    if (at < last + apartMs) continue;
    count += 1;
    last = at;
  }
  return count;
}

/** Of the attempts that are recorded; one that was handed back is not. */
export function assignmentsOf(task: KeptTask): Assignment[] {
  const { attempts, status } = task;
  const records = [...attempts.values()].map(({ record }) => record);
  const last = status && !attempts.has(status.record.attempt) ? [status.record] : [];
  return [...records, ...last].flatMap(({ attempt, startedAt }) =>
    startedAt === null ? [] : [{ task, attempt, at: startedAt }],
  );
}
