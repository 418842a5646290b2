// A verdict for people: whether the run can be judged at all, what was violated with the lines that show it, and what the run exercised. Pure.

import { neverExercised } from './exercise.ts';
import { groupBy } from './group-by.ts';
import { outcomeOf, type Verdict, type Violation } from './verdict.ts';

/** Of each rule; what is wrong once is mostly wrong often. */
const shownMax = 3;
const evidenceShownMax = 12;

export function renderVerdict(verdict: Verdict): string {
  const { assumptions, exercised } = verdict;
  const lines = [
    headline(verdict),
    ...assumptions.map((sentence) => `  assumption: ${sentence}`),
    ...[...groupBy(verdict.violations, ({ rule }) => rule)].flatMap(([rule, violations]) =>
      ruleLines(rule, violations),
    ),
    'exercised:',
    ...Object.entries(exercised).map(([what, count]) => `  ${String(count).padStart(8)}  ${what}`),
    ...neverExercised(verdict).map((what) => `     never  ${what}`),
  ];
  return `${lines.join('\n')}\n`;
}

function headline(verdict: Verdict): string {
  const { assumptions, violations } = verdict;
  switch (outcomeOf(verdict)) {
    case 'kept':
      return 'All promises were kept.';
    case 'violated':
      return `Promises were violated, ${violations.length} times.`;
    case 'undecided':
      return (
        `This run cannot be judged: what judging relies on does not hold, in ${assumptions.length} ways. ` +
        `${violations.length} violations may come from that.`
      );
  }
}

function ruleLines(rule: string, violations: readonly Violation[]): string[] {
  const more = violations.length - shownMax;
  return [
    `${rule}: ${violations.length}`,
    ...violations.slice(0, shownMax).flatMap(({ what, evidence }) => [`  ${what}`, ...evidenceLines(evidence)]),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function evidenceLines(evidence: readonly string[]): string[] {
  const more = evidence.length - evidenceShownMax;
  const shown = evidence.slice(0, evidenceShownMax).map((each) => `      ${each}`);
  return more > 0 ? [...shown, `      and ${more} more lines`] : shown;
}
