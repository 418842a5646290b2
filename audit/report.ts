// What an audit prints: lines for people, or one object for programs. Pure.

import type { DatedFinding } from './finding.ts';
import { hintOf } from './hints.ts';
import type { Standing } from './standing.ts';

export interface Report {
  /** With the chroot, without credentials. */
  readonly connect: string;
  /** Which of those was asked last. */
  readonly server: string | null;
  readonly tookMs: number;
  readonly znodes: number;
  readonly tasks: number;
  readonly standing: Standing;
  /** Addresses of the masters that were asked what they know. */
  readonly masters: readonly string[];
  /** Violations first; each is there once. */
  readonly findings: readonly DatedFinding[];
  readonly unsettled: number;
  readonly dropped: number;
}

/** Of one rule not more are printed for people; programs are told all. */
const linesOfRuleMax = 20;

export function sorted(findings: readonly DatedFinding[]): DatedFinding[] {
  const byName = new Map(findings.map((finding) => [keyOf(finding), finding]));
  return [...byName.keys()].sort().flatMap((key) => byName.get(key) ?? []);
}

/** Violations come before what is odd. */
function keyOf({ severity, rule, path, what }: DatedFinding): string {
  return [severity === 'violation' ? 0 : 1, rule, path, what].join('\n');
}

export function violationsIn(findings: readonly DatedFinding[]): number {
  return findings.filter(({ severity }) => severity === 'violation').length;
}

/** Times are RFC 3339, UTC. */
export function jsonReport(report: Report): string {
  const { findings, standing, ...facts } = report;
  const { leader, oldestQueued, ...figures } = standing;
  const violations = violationsIn(findings);
  return JSON.stringify({
    ...facts,
    leader: 'since' in leader ? { ...leader, since: timeText(leader.since) } : leader,
    ...figures,
    oldestQueued: oldestQueued && { ...oldestQueued, since: timeText(oldestQueued.since) },
    ...{ violations, odd: findings.length - violations },
    findings: findings.map(({ changedAt, ...finding }) => {
      return { ...finding, changedAt: changedAt === null ? null : timeText(changedAt), hint: hintOf(finding.rule) };
    }),
  });
}

export function textReport(report: Report): string {
  const { masters, findings, unsettled, dropped } = report;
  const violations = violationsIn(findings);
  const odd = findings.length - violations;
  return [
    ...headLines(report),
    ...findingLines(findings),
    ...(dropped > 0 ? [`${dropped} more suspicions were not looked at again`] : []),
    ...(unsettled > 0 ? [`${unsettled} suspicions changed each time that they were looked at, and are not told`] : []),
    ...(masters.length > 0 ? [`compared with what these masters know: ${masters.join(', ')}`] : []),
    `${count(violations, 'violation')}, ${odd} odd${findings.length > 0 ? '; docs/audit.md says what to do' : ''}`,
  ].join('\n');
}

/** Which system this is, and how it stands. */
function headLines({ connect, server, tookMs, znodes, tasks, standing }: Report): string[] {
  const { workers, unfinished, oldestQueued } = standing;
  const { scheduled, queued, running, leftAlone } = unfinished;
  const left = leftAlone > 0 ? `, ${leftAlone} left alone` : '';
  const oldest = oldestQueued ? `; ${oldestQueued.id} is queued since ${timeText(oldestQueued.since)}` : '';
  const sum = scheduled + queued + running + leftAlone;
  return [
    `ZooKeeper: ${connect}, asked at ${server ?? 'none'}: ${znodes} znodes, ${tasks} tasks, read in ${(tookMs / 1000).toFixed(1)} s`,
    `leader: ${leaderText(standing)}`,
    `workers: ${workers}`,
    `unfinished tasks: ${sum} (${scheduled} scheduled, ${queued} queued, ${running} running${left})${oldest}`,
  ];
}

function leaderText({ leader }: Standing): string {
  if (leader.kind === 'ours') return `${leader.address} since ${timeText(leader.since)}`;
  if (leader.kind === 'stranger') return `somebody else than a master of ours since ${timeText(leader.since)}`;
  return leader.kind === 'nobody' ? 'nobody' : 'not known, as /master may not be read';
}

function findingLines(findings: readonly DatedFinding[]): string[] {
  const byRule = new Map<DatedFinding['rule'], DatedFinding[]>();
  for (const finding of findings) byRule.set(finding.rule, [...(byRule.get(finding.rule) ?? []), finding]);
  return [...byRule].flatMap(([rule, its]) => {
    const lines = its.slice(0, linesOfRuleMax).map(findingLine);
    const more = its.length > lines.length ? [`${rule}: and ${its.length - lines.length} more`] : [];
    const hint = hintOf(rule);
    return [...lines, ...more, ...(hint === null ? [] : [`  what to do: ${hint}`])];
  });
}

function findingLine({ severity, rule, path, what, changedAt }: DatedFinding): string {
  const changed = changedAt === null ? '' : ` (last changed ${timeText(changedAt)})`;
  return `${severity} ${rule}: ${path} ${what}${changed}`;
}

/** `at` is epoch ms. */
function timeText(at: number): string {
  return new Date(at).toISOString();
}

function count(n: number, what: string): string {
  return n === 1 ? `1 ${what}` : `${n} ${what}s`;
}
