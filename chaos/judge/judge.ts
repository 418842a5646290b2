// Judges a chaos run by its record and the tree that it left, and by nothing else: so a run can be judged again, by better rules, when the
// system is long gone. Each rule is one promise, in a file of its own. Linear in the record, but for sorting. Pure.

import type { TreeSnapshot } from '../../audit/tree-snapshot.ts';
import type { Entry } from '../record.ts';
import { brokenAssumptions, ensembleBugs } from './assumptions.ts';
import { History, type Rule } from './history.ts';
import { acceptedOutcomes } from './rules/accepted-outcomes.ts';
import { acknowledgedTasks } from './rules/acknowledged-tasks.ts';
import { answers } from './rules/answers.ts';
import { attempts } from './rules/attempts.ts';
import { cancels } from './rules/cancels.ts';
import { dependencies } from './rules/dependencies.ts';
import { exclusiveKeys } from './rules/exclusive-keys.ts';
import { exits } from './rules/exits.ts';
import { finalStates } from './rules/final-states.ts';
import { finalTree } from './rules/final-tree.ts';
import { leftovers } from './rules/leftovers.ts';
import { overlappingRuns } from './rules/overlapping-runs.ts';
import { pictures } from './rules/pictures.ts';
import { priorities } from './rules/priorities.ts';
import { refusals } from './rules/refusals.ts';
import { retries } from './rules/retries.ts';
import { streams } from './rules/streams.ts';
import { submits } from './rules/submits.ts';
import { times } from './rules/times.ts';
import { Tally, type Verdict } from './verdict.ts';

const rules: readonly Rule[] = [
  ...[refusals, acknowledgedTasks, finalStates, streams, answers, submits, retries],
  ...[acceptedOutcomes, attempts, overlappingRuns, cancels, exclusiveKeys, dependencies, priorities, times],
  ...[exits, finalTree, leftovers, pictures],
];

/** Entries in any order. */
export function judge(entries: Iterable<Entry>, tree: TreeSnapshot): Verdict {
  const history = new History(entries, tree);
  const tally = new Tally();
  for (const { fault } of history.faults.spans) tally.add(`faults ${fault}`);
  const violations = rules.flatMap(({ name, check }) =>
    [...check(history, tally)].map((found) => ({ rule: name, ...found })),
  );
  const assumptions = [...brokenAssumptions(history)];
  // Where nothing is wrong it has done no harm.
  if (violations.length > 0) assumptions.push(...ensembleBugs(history));
  return { assumptions, violations, exercised: tally.counts };
}
