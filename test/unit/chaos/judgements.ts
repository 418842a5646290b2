// What tests of the judge expect of a verdict.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MadeUpRun } from './made-up-run.ts';

/** Of all runs in which nothing was wrong. */
export const exercisedInAll: Record<string, number> = {};

/** Nothing is wrong, and the judge says that it saw what happened. */
export function assertKept(run: MadeUpRun, exercised: Readonly<Record<string, number>>): void {
  const verdict = run.judged();
  assert.deepEqual([verdict.assumptions, verdict.violations], [[], []]);
  Object.assign(exercisedInAll, verdict.exercised);
  const seen = Object.keys(exercised).map((what) => [what, verdict.exercised[what] ?? 0]);
  assert.deepEqual(Object.fromEntries(seen), exercised);
}

/** The rule and no other finds something, and says it in these words. What is wrong in the tree itself the audit may find, too. */
export function assertViolated(run: MadeUpRun, rule: string, what: RegExp): void {
  const verdict = run.judged();
  assert.deepEqual(verdict.assumptions, []);
  const others = verdict.violations.filter((violation) => violation.rule !== rule && violation.rule !== 'final-tree');
  assert.deepEqual(others, []);
  const found = verdict.violations.find((violation) => violation.rule === rule && what.test(violation.what));
  assert.ok(found, `none of ${verdict.violations.map((violation) => violation.what).join('; ')}`);
  assert.ok(found.evidence.length > 0, 'without evidence');
}

/** A test for each case: by its title, what the judge is to say and the run that was forged. */
export function violations(rule: string, cases: Readonly<Record<string, readonly [RegExp, () => MadeUpRun]>>): void {
  for (const [title, [what, forge]] of Object.entries(cases)) {
    test(`${rule}: ${title}`, () => assertViolated(forge(), rule, what));
  }
}
