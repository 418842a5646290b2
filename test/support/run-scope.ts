// What a run has started, ended with it: the last first. The harness of the tests takes such a scope from node:test.

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
