// What an audit tells, and the names of its rules. docs/audit.md says of each what it means and what is to be done; a test keeps that
// page and this list together. Pure.

/**
 * `violation`: it can be so at no moment, however busy or broken the system is, unless somebody wrote it by hand or a program has a
 * fault. `odd`: leftovers, nonsense, things that a person should see; nobody is harmed.
 */
export type Severity = 'violation' | 'odd';

export const rules = {
  'status-changed': 'violation',
  'removed-alone': 'violation',
  'attempt-changed': 'violation',
  'attempts-numbers': 'violation',
  'attempts-order': 'violation',
  'attempts-too-many': 'violation',
  'attempt-after-end': 'violation',
  'attempt-without-end': 'violation',
  'end-without-attempt': 'violation',
  'end-of-ended-attempt': 'violation',
} as const satisfies Readonly<Record<string, Severity>>;

export type RuleName = keyof typeof rules;

export interface Finding {
  readonly severity: Severity;
  readonly rule: RuleName;
  /** The znode that it is about; of several the first. */
  readonly path: string;
  /** What is wrong with it, as a sentence that goes on after the path. */
  readonly what: string;
}

export function finding(rule: RuleName, path: string, what: string): Finding {
  return { severity: rules[rule], rule, path, what };
}
