// The wall clock of one process, for tests to set: a module that node loads before ours, and a file that says how far it is off.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestScope } from './cleanup.ts';
import { temporaryFolder } from './stack-handlers.ts';

/** `Date` as it would be on a clock that is off by what the file says. Timers and `performance` go on as they do. */
const shim = (file: string) => `import { readFileSync } from 'node:fs';
const Real = Date;
let offMs = 0;
let readAt = Number.NEGATIVE_INFINITY;
function now() {
  if (performance.now() - readAt > 5) {
    readAt = performance.now();
    offMs = Number(readFileSync(${JSON.stringify(file)}, 'utf8'));
  }
  return Real.now() + offMs;
}
globalThis.Date = class Date extends Real {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now() {
    return now();
  }
};
`;

export interface WrongClock {
  /** For the process whose clock it is. */
  readonly env: Readonly<Record<string, string>>;
  /** From right, also while it runs. */
  set(offMs: number): void;
}

export function wrongClock(scope: TestScope): WrongClock {
  const folder = temporaryFolder(scope);
  const [module, file] = [join(folder, 'clock.mjs'), join(folder, 'off')];
  writeFileSync(module, shim(file));
  const set = (offMs: number) => {
    writeFileSync(`${file}.new`, String(offMs));
    renameSync(`${file}.new`, file);
  };
  set(0);
  return { env: { NODE_OPTIONS: `--import=${module}` }, set };
}
