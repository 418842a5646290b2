// The inside of a handler thread: piscina loads this file in each thread and calls runInThread once for each run, one at a
// time. Loads the user's module, gives it its context, checks its result. A thread may die of its handler at any point;
// the main thread (handler-threads.ts) copes with that.

import { AsyncLocalStorage } from 'node:async_hooks';
import { Console } from 'node:console';
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';
import type { Json } from '../../../domain/task.ts';
import { failureOf } from './handler-failure.ts';
import { resultText } from './handler-result.ts';
import { progressSender } from './progress.ts';
import {
  type AbortMessage,
  type LateErrorMessage,
  runStates,
  type ThreadOrder,
  type ThreadReply,
  type ThreadRun,
} from './thread-messages.ts';

type UserHandler = (payload: Json, context: object) => unknown;

// stdout of the process is the log, one JSON object a line.
globalThis.console = new Console(process.stderr, process.stderr);

const runs = new AsyncLocalStorage<ThreadRun>();
let present: ThreadRun | null = null;

process.on('uncaughtException', (error) => {
  const origin = runs.getStore();
  // Thrown by the present run, or nobody knows by whom: throwing here ends the thread and with it the run.
  if (present !== null && (origin === undefined || origin === present)) throw error;
  // An earlier run left something behind: it must not cost the one that has the thread now.
  const { message, stack } = failureOf(error);
  const late: LateErrorMessage = { lateErrorOf: origin?.taskId ?? 'unknown', message, stack };
  parentPort?.postMessage(late);
  if (present === null) process.exit();
});

export async function runInThread({ modulePath, port, state, run }: ThreadOrder): Promise<ThreadReply> {
  port.postMessage({ kind: 'begun' });
  present = run;
  try {
    const handler = await loadHandler(modulePath);
    const before = Atomics.compareExchange(state, 0, runStates.waiting, runStates.called);
    if (before === runStates.revoked) return { kind: 'revoked' };
    const result = run === null ? null : await runs.run(run, () => callHandler(handler, run, port));
    return { kind: 'result', text: resultText(result) };
  } catch (error) {
    return { kind: 'failure', failure: failureOf(error) };
  } finally {
    present = null;
    port.close();
  }
}

/** For the sake of a thread that does it. */
export const doNothing = () => undefined;

/** In an async function of its own so that a handler which throws before it returns a promise fails in the same way. */
async function callHandler(handler: UserHandler, run: ThreadRun, port: ThreadOrder['port']): Promise<unknown> {
  const controller = new AbortController();
  port.on('message', ({ name, message }: AbortMessage) => controller.abort(new DOMException(message, name)));
  const sender = progressSender((progress) => port.postMessage({ kind: 'progress', ...progress }));
  const { payload, ...facts } = run;
  try {
    return await handler(payload, { ...facts, signal: controller.signal, progress: sender.progress });
  } finally {
    sender.stop();
  }
}

async function loadHandler(modulePath: string): Promise<UserHandler> {
  const module = (await import(pathToFileURL(modulePath).href)) as { default?: unknown };
  // A CommonJS module that was compiled from `export default` has it one level deeper.
  const exported = module.default;
  const handler = typeof exported === 'function' ? exported : (Object(exported) as { default?: unknown }).default;
  if (typeof handler !== 'function') {
    throw new Error('it has no default export that is a function: export default async (payload, context) => result');
  }
  return handler as UserHandler;
}
