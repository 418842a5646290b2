// What the commands that measure have in common: what they start ends with them, whatever happens, and what goes wrong is said
// in words.

import { RunScope } from '../test/support/run-scope.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;
class Stopped extends Error {}

/** What is asked for cannot be done. */
export class UsageError extends Error {}

/** Ends the process with 1 where `main` fails. */
export async function runCommand(usage: string, main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${explain(error as Error, usage)}\n`);
    process.exit(1); // a work that was stopped may still wait for something
  }
}

function explain(error: Error, usage: string): string {
  if (error instanceof UsageError) return `${error.message}\n\n${usage}`;
  return error instanceof Stopped ? `${error.message}: everything is ended` : (error.stack ?? error.message);
}

/** A signal ends what the scope has, and with that whatever waits for it. */
export async function withScope<T>(use: (scope: RunScope) => Promise<T>): Promise<T> {
  const scope = new RunScope();
  const stopped = new Promise<never>((_, reject) => {
    for (const signal of signals) process.once(signal, () => reject(new Stopped(signal)));
  });
  try {
    return await Promise.race([use(scope), stopped]);
  } catch (error) {
    // What was just being started says that it was not.
    if (error instanceof Stopped) await scope.close().catch(() => undefined);
    throw error;
  } finally {
    for (const signal of signals) process.removeAllListeners(signal);
    await scope.close();
  }
}

/** On stderr: what is printed on stdout are the figures. */
export function say(progress: string): void {
  process.stderr.write(`${progress}\n`);
}
