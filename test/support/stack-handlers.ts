// Handlers of a user, for tests: a fresh HANDLERS_DIR with modules that tests can steer through their payload.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onCleanup, type TestScope } from './cleanup.ts';

const modules = {
  /** Fails until the attempt `payload.succeedsAt`; `payload.retryable` false says that it is no use. */
  flaky: `export default async (payload, context) => {
    if (context.attempt >= payload.succeedsAt) return { attempt: context.attempt };
    throw Object.assign(new Error('not yet'), { retryable: payload.retryable, retryAfterMs: payload.retryAfterMs });
  };`,
  /** Runs until the file \`payload.until\` exists, deaf to its signal; results in what it was told of its run. */
  gated: `import { existsSync } from 'node:fs';
  import { setTimeout as delay } from 'node:timers/promises';
  export default async (payload, context) => {
    context.progress(50, 'waiting');
    while (payload?.until && !existsSync(payload.until)) await delay(5);
    const { taskId, attempt, fencingToken } = context;
    return { taskId, attempt, fencingToken };
  };`,
  /** Reports its progress so many times, evenly over that time, then runs until the file \`payload.until\` exists. */
  reporting: `import { existsSync } from 'node:fs';
  import { setTimeout as delay } from 'node:timers/promises';
  export default async ({ reports, ms, until }, { progress }) => {
    const startedAt = performance.now();
    for (let i = 1; i <= reports; i += 1) {
      progress((100 * i) / reports, \`report \${i}\`);
      while (performance.now() - startedAt < (ms * i) / reports) await delay(1);
    }
    while (!existsSync(until)) await delay(5);
  };`,
  /** Runs until its signal aborts; the files \`<task>-began\` and \`<task>-aborted\` in \`payload.folder\` hold the times. */
  witness: `import { renameSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  export default async ({ folder }, { taskId, signal }) => {
    const note = (what) => {
      const path = join(folder, \`\${taskId}-\${what}\`);
      writeFileSync(\`\${path}.new\`, String(Date.now()));
      renameSync(\`\${path}.new\`, path);
    };
    note('began');
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        note('aborted');
        reject(signal.reason);
      });
    });
  };`,
  /** Kills the worker that runs it. */
  poison: `export default () => process.kill(process.pid, 'SIGKILL');`,
  /** Never gives its thread back. */
  blocking: `export default async () => {
    for (;;) ;
  };`,
};

export type HandlerType = keyof typeof modules;

/** A folder with these modules; goes with the scope. */
export function writeHandlers(scope: TestScope, types: readonly HandlerType[]): string {
  const dir = temporaryFolder(scope);
  for (const type of types) writeFileSync(join(dir, `${type}.mjs`), modules[type]);
  return dir;
}

/** Something that a test opens by hand: closed as long as the file does not exist. */
export interface Gate {
  readonly path: string;
  open(): void;
}

export function createGate(scope: TestScope): Gate {
  const path = join(temporaryFolder(scope), 'gate');
  return { path, open: () => writeFileSync(path, '') };
}

export function temporaryFolder(scope: TestScope): string {
  const dir = mkdtempSync(join(tmpdir(), 'taskkeeper-test-'));
  onCleanup(scope, () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
