// What a test opened is closed when it ends, the last opened first: a server outlives the processes that use it. (node:test
// itself runs `after` hooks in the order in which they were registered.)

import { after } from 'node:test';

export type Cleanup = () => void | Promise<void>;

/** A TestContext (`t`), or {@link wholeFile}. */
export interface TestScope {
  after(hook: () => Promise<void>): void;
}

/** For what all tests of a file share: `const zookeeper = await startZooKeeper(wholeFile)` at the top level. */
export const wholeFile: TestScope = { after };

const cleanups = new WeakMap<TestScope, Cleanup[]>();

export function onCleanup(scope: TestScope, cleanup: Cleanup): void {
  const known = cleanups.get(scope);
  if (known) {
    known.push(cleanup);
    return;
  }
  const stack = [cleanup];
  cleanups.set(scope, stack);
  scope.after(() => runAll(stack));
}

/** Every one runs, whatever the others throw. */
async function runAll(stack: Cleanup[]): Promise<void> {
  const errors: unknown[] = [];
  for (let next = stack.pop(); next; next = stack.pop()) {
    try {
      await next();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'cleaning up after the test failed');
}
