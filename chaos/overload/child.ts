// A part of a run in a process of its own, so that what it takes of a processor delays neither what is measured nor who measures: its
// parent calls its actions by name, several at a time if it likes. It ends with the scope, and with its parent.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';

/** What a process can be asked to do; what goes in and comes out is JSON. */
export type Actions = Readonly<Record<string, (input: never) => Promise<unknown>>>;

type OutputOf<A extends Actions, Name extends keyof A> = Awaited<ReturnType<A[Name]>>;

interface Call {
  readonly id: number;
  readonly action: string;
  readonly input: unknown;
}
type Answer = { readonly id: number } & ({ readonly output: unknown } | { readonly error: string });

export interface Child<A extends Actions> {
  readonly pid: number;
  call<Name extends keyof A & string>(action: Name, ...input: Parameters<A[Name]>): Promise<OutputOf<A, Name>>;
  /** At once, with all its connections; what was asked of it is not answered any more. */
  kill(): Promise<void>;
}

/** `script` is a compiled file beside this one that calls {@link serveActions}. */
export function startChild<A extends Actions>(scope: TestScope, script: string): Child<A> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), { stdio: 'inherit' });
  const waiting = new Map<number, (answer: Answer) => void>();
  let calls = 0;
  let killed = false;
  const exited = once(child, 'exit').then(([code]) => {
    for (const [id, settle] of waiting) settle({ id, error: `${script} ended (${code})` });
  });
  child.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer));
  const kill = async () => {
    killed = true;
    waiting.clear();
    child.kill('SIGKILL');
    await exited;
  };
  onCleanup(scope, kill);
  return {
    pid: child.pid as number,
    kill,
    call: (action, ...[input]) =>
      new Promise((resolve, reject) => {
        const id = ++calls;
        waiting.set(id, (answer) => {
          waiting.delete(id);
          if ('error' in answer) reject(new Error(answer.error));
          else resolve(answer.output as never);
        });
        const call: Call = { id, action, input };
        if (killed || !child.connected) waiting.get(id)?.({ id, error: `${script} has ended` });
        else child.send(call);
      }),
  };
}

/** To be called once, in the process that was started. */
export function serveActions(actions: Actions): void {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ id, action, input }: Call) => {
    const answer = (message: Answer) => process.send?.(message);
    const run = actions[action] as (given: unknown) => Promise<unknown>;
    run(input).then(
      (output) => answer({ id, output }),
      (error: Error) => answer({ id, error: `${action}: ${error.stack ?? error.message}` }),
    );
  });
}
