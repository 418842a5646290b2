// What the judge says of a run. Results are values: assumptions first, since a test that is broken says nothing of the system; then what
// was violated; and what the run exercised, since a rule that was never put to the test was not kept either. Pure.

export interface Verdict {
  /** What did not hold of the record or the tree themselves. Unless this is empty, violations may be the test's own. */
  readonly assumptions: readonly string[];
  readonly violations: readonly Violation[];
  /** How often each rule had something to look at, and what happened in the run. */
  readonly exercised: Readonly<Record<string, number>>;
}

export interface Violation {
  readonly rule: string;
  /** One sentence. */
  readonly what: string;
  /** Lines of the record, and znodes, that show it. */
  readonly evidence: readonly string[];
}

export type Outcome = 'kept' | 'violated' | 'undecided';

/** `undecided`: the record or the tree is not what judging relies on. */
export function outcomeOf({ assumptions, violations }: Verdict): Outcome {
  if (assumptions.length > 0) return 'undecided';
  return violations.length > 0 ? 'violated' : 'kept';
}

/** Counts by name, in the order in which names came up. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  get counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
