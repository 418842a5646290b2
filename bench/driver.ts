// The load driver: a process of its own, so that what it takes is known, and the same one for all that is compared.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onCleanup, type TestScope } from '../test/support/cleanup.ts';
import type { Load, LoadResult } from './loads.ts';

export type DriverAnswer = { readonly result: LoadResult } | { readonly error: string };

export interface Driver {
  /** One at a time. */
  run(load: Load): Promise<LoadResult>;
}

/** Ends with the scope. */
export function startDriver(scope: TestScope): Driver {
  const child = fork(fileURLToPath(new URL('./driver-process.js', import.meta.url)), { stdio: 'inherit' });
  onCleanup(scope, () => child.disconnect());
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the driver ended (${code})`);
  });
  ended.catch(() => undefined);
  return {
    run: async (load) => {
      child.send(load);
      const [answer] = (await Promise.race([once(child, 'message'), ended])) as [DriverAnswer];
      if ('error' in answer) throw new Error(`the load failed: ${answer.error}`);
      return answer.result;
    },
  };
}
