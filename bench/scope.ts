// What a run has started, ended with it: the last first. The harness of the tests takes such a scope from node:test.

import type { TestScope } from '../test/support/cleanup.ts';

export class RunScope implements TestScope {
  readonly #hooks: (() => Promise<void>)[] = [];

  after(hook: () => Promise<void>): void {
    this.#hooks.push(hook);
  }

  async close(): Promise<void> {
    for (let hook = this.#hooks.pop(); hook; hook = this.#hooks.pop()) await hook();
  }
}
