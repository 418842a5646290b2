// What an audit prints: lines for people, or one object for programs. Pure.

import type { Finding } from './finding.ts';

export interface Report {
  /** With the chroot, without credentials. */
  readonly connect: string;
  readonly tookMs: number;
  readonly znodes: number;
  readonly tasks: number;
  /** Addresses of the masters that were asked what they know. */
  readonly masters: readonly string[];
  /** Violations first; each is there once. */
  readonly findings: readonly Finding[];
  readonly unsettled: number;
  readonly dropped: number;
}

/** Of one rule not more are printed for people; programs are told all. */
const linesOfRuleMax = 20;

export function sorted(findings: readonly Finding[]): Finding[] {
  const byName = new Map(findings.map((finding) => [keyOf(finding), finding]));
  return [...byName.keys()].sort().flatMap((key) => byName.get(key) ?? []);
}

/** Violations come before what is odd. */
function keyOf({ severity, rule, path, what }: Finding): string {
  return [severity === 'violation' ? 0 : 1, rule, path, what].join('\n');
}

export function violationsIn(findings: readonly Finding[]): number {
  return findings.filter(({ severity }) => severity === 'violation').length;
}

export function jsonReport(report: Report): string {
  const { findings, ...facts } = report;
  const violations = violationsIn(findings);
  return JSON.stringify({ ...facts, violations, odd: findings.length - violations, findings });
}

export function textReport(report: Report): string {
  const { connect, tookMs, znodes, tasks, masters, findings, unsettled, dropped } = report;
  const violations = violationsIn(findings);
  const odd = findings.length - violations;
  return [
    ...findingLines(findings),
    ...(dropped > 0 ? [`${dropped} more suspicions were not looked at again`] : []),
    ...(unsettled > 0 ? [`${unsettled} suspicions changed each time that they were looked at, and are not told`] : []),
    `${connect}: ${znodes} znodes, ${tasks} tasks, read in ${(tookMs / 1000).toFixed(1)} s`,
    ...(masters.length > 0 ? [`compared with what these masters know: ${masters.join(', ')}`] : []),
    `${count(violations, 'violation')}, ${odd} odd${findings.length > 0 ? '; docs/audit.md says what to do' : ''}`,
  ].join('\n');
}

function findingLines(findings: readonly Finding[]): string[] {
  const byRule = new Map<string, Finding[]>();
  for (const finding of findings) byRule.set(finding.rule, [...(byRule.get(finding.rule) ?? []), finding]);
  return [...byRule].flatMap(([rule, its]) => {
    const lines = its
      .slice(0, linesOfRuleMax)
      .map(({ severity, path, what }) => `${severity} ${rule}: ${path} ${what}`);
    return its.length > lines.length ? [...lines, `${rule}: and ${its.length - lines.length} more`] : lines;
  });
}

function count(n: number, what: string): string {
  return n === 1 ? `1 ${what}` : `${n} ${what}s`;
}
