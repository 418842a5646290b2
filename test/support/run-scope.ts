// A scope outside of node:test, for programs that use this harness: what a run has started is ended with it, the last first.

import type { TestScope } from './cleanup.ts';

export class RunScope implements TestScope {
  readonly #hooks: (() => Promise<void>)[] = [];

  after(hook: () => Promise<void>): void {
    this.#hooks.push(hook);
  }

  /** Every hook runs, whatever the others throw. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (let hook = this.#hooks.pop(); hook; hook = this.#hooks.pop()) {
      try {
        await hook();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'not everything could be ended');
  }
}
