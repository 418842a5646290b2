// What an audit tells, and the names of its rules. docs/audit.md says of each what it means and what is to be done; a test keeps that
// page and this list together. Pure.

/**
 * `violation`: it can be so at no moment, however busy or broken the system is, unless somebody wrote it by hand or a program has a
 * fault. `odd`: leftovers, nonsense, things that a person should see; nobody is harmed.
 */
export type Severity = 'violation' | 'odd';

export const rules = {
  // What is recorded of a task.
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
  // Who runs it.
  'assigned-twice': 'violation',
  'assigned-and-ended': 'violation',
  'assigned-attempt': 'violation',
  'assigned-early': 'violation',
  'assigned-before-let-go': 'violation',
  'assigned-to-unfit': 'violation',
  'worker-overloaded': 'violation',
  'key-shared': 'violation',
  'key-out-of-turn': 'violation',
  // What a submit made.
  'submitted-twice': 'violation',
  'keyed-without-key': 'violation',
  // Who leads.
  'master-not-ephemeral': 'violation',
  'master-without-epoch': 'violation',
  // Left over, or on its way.
  'leftover-assignment': 'odd',
  'assigned-without-task': 'odd',
  'assigned-to-nobody': 'odd',
  'assigned-to-former-life': 'odd',
  'folder-without-worker': 'odd',
  'worker-without-folder': 'odd',
  'key-without-tasks': 'odd',
  'nobody-leads': 'odd',
  'missing-parent': 'odd',
  'sequence-near-end': 'odd',
  // Done by hand, mostly.
  'worker-overloaded-by-hand': 'odd',
  'key-shared-by-hand': 'odd',
  'queue-overfull': 'odd',
  'let-go-early': 'odd',
  'ran-before-let-go': 'odd',
  'master-by-hand': 'odd',
  // Nonsense.
  'no-worker': 'odd',
  'no-task': 'odd',
  'empty-task': 'odd',
  unreadable: 'odd',
  'not-taken': 'odd',
  'newer-record': 'odd',
  'not-persistent': 'odd',
  'unknown-name': 'odd',
  hidden: 'odd',
  // What masters know.
  'picture-differs': 'violation',
  'picture-missing': 'odd',
  // Only where nothing is under way.
  'quiet-assignment': 'violation',
  'quiet-unfinished': 'violation',
  'quiet-owner': 'violation',
  'quiet-leader': 'violation',
  'quiet-backlog': 'violation',
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

/** One of a live tree. */
export interface DatedFinding extends Finding {
  /**
   * When its znode, or what was looked at below it, was last created or set: epoch ms of the ensemble's clock, so that what lies there since
   * yesterday is told from what happens now. Null: it is not there, or not even that can be known. (No znode says when a child was removed.)
   */
  readonly changedAt: number | null;
}

export function finding(rule: RuleName, path: string, what: string): Finding {
  return { severity: rules[rule], rule, path, what };
}
