// Runs the user's handlers in worker threads (piscina), one run in a thread at a time, so that a handler which blocks,
// throws out of turn, calls process.exit() or fills its heap costs its own thread only. The abort of a run is passed into its
// thread; a handler that has not settled after a grace, or when there is no time left, is ended with its thread. A run is over only when its handler has
// settled or its thread is gone.

import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Json } from '../../../domain/task.ts';
import type { Log } from '../../../runtime/log.ts';
import type { HandlerContext } from './handler.ts';
import { failureOf, HandlerFailure } from './handler-failure.ts';
import { handlerLimits } from './handler-limits.ts';
import type { FromThread, LateErrorMessage, ThreadOrder, ThreadReply } from './thread-messages.ts';

export interface HandlerThreadsOptions {
  readonly threadsMax: number;
  readonly abortGraceMs: number;
  readonly heapMb: number;
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** Why a thread gave no reply. */
class ThreadLost extends Error {
  constructor(
    readonly hadBegun: boolean,
    cause: unknown,
  ) {
    super('the thread of the handler ended', { cause });
  }
}

export class HandlerThreads {
  readonly #pool: Piscina;
  readonly #options: HandlerThreadsOptions;
  /** Runs that no thread has begun yet. */
  readonly #waiting = new Set<AbortController>();

  constructor(options: HandlerThreadsOptions) {
    this.#options = options;
    this.#pool = new Piscina({
      filename: new URL('./thread-entry.js', import.meta.url).href,
      name: 'runInThread',
      minThreads: 0,
      maxThreads: options.threadsMax,
      idleTimeout: handlerLimits.threadIdleMs,
      env: { ...options.env },
      resourceLimits: { maxOldGenerationSizeMb: options.heapMb },
      // With Atomics an idle thread is blocked, and with it the timers and connections that a module keeps.
      atomics: 'disabled',
      recordTiming: false,
    });
    // Handler threads keep their errors (thread-entry.ts), so what arrives here could not even start.
    this.#pool.on('error', (error) => this.#failWaiting(error));
    this.#pool.on('message', (message: LateErrorMessage) =>
      options.log.warn({ ...message }, 'a handler left something behind in its thread that failed later'),
    );
  }

  /** Rejects with a {@link HandlerFailure} or, once aborted, with anything. */
  async run(modulePath: string, payload: Json, context: HandlerContext): Promise<Json> {
    const { signal, endNow, progress, ...facts } = context;
    return this.#runOrder({ modulePath, run: { payload, ...facts } }, { signal, endNow, progress });
  }

  /** Rejects unless the module can be loaded and is a handler. */
  async check(modulePath: string): Promise<void> {
    const signal = AbortSignal.timeout(handlerLimits.moduleLoadMsMax);
    try {
      await this.#runOrder({ modulePath, run: null }, { signal, endNow: signal, progress: () => undefined });
    } catch (error) {
      throw signal.aborted ? new Error(`it did not load within ${handlerLimits.moduleLoadMsMax} ms`) : error;
    }
  }

  /** Ends all threads, whatever they are doing. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #runOrder(
    order: Omit<ThreadOrder, 'port'>,
    context: Pick<HandlerContext, 'signal' | 'endNow' | 'progress'>,
  ): Promise<Json> {
    for (let starts = 1; ; starts++) {
      context.signal.throwIfAborted();
      try {
        const reply = await this.#runOnce(order, context);
        if (reply.kind === 'result') return JSON.parse(reply.text) as Json;
        throw HandlerFailure.of(reply.failure);
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error;
        // Its thread died of an earlier run, and the handler has not seen this one: that is nobody's failed attempt.
        if (!error.hadBegun && starts < handlerLimits.threadStartsMax && !context.signal.aborted) continue;
        throw lostFailure(error.cause);
      }
    }
  }

  async #runOnce(
    order: Omit<ThreadOrder, 'port'>,
    { signal, endNow, progress }: Pick<HandlerContext, 'signal' | 'endNow' | 'progress'>,
  ): Promise<ThreadReply> {
    const { port1, port2 } = new MessageChannel();
    const killer = new AbortController();
    let hasBegun = false;
    const receive = (message: FromThread) => {
      if (message.kind === 'progress') return progress(message.percent, message.message);
      hasBegun = true;
      this.#waiting.delete(killer);
    };
    port1.on('message', receive);
    this.#waiting.add(killer);
    const bridge = this.#bridgeAbort({ signal, endNow }, port1, killer);
    try {
      return await this.#pool.run({ ...order, port: port2 }, { transferList: [port2], signal: killer.signal });
    } catch (error) {
      await bridge.threadsEnded();
      // What the thread said before it died may still be on its way.
      for (let left = receiveMessageOnPort(port1); left; left = receiveMessageOnPort(port1)) receive(left.message);
      throw new ThreadLost(hasBegun, killer.signal.aborted ? killer.signal.reason : error);
    } finally {
      bridge.stop();
      this.#waiting.delete(killer);
      port1.close();
    }
  }

  /** Passes an abort on to the thread, and after the grace, or on `endNow`, ends the thread by `killer`. */
  #bridgeAbort(
    { signal, endNow }: Pick<HandlerContext, 'signal' | 'endNow'>,
    port: MessagePort,
    killer: AbortController,
  ) {
    let timer: NodeJS.Timeout | undefined;
    let ended: Promise<unknown> = Promise.resolve();
    const kill = () => {
      if (killer.signal.aborted) return;
      // piscina rejects before the thread has ended, and its list is the only way to see which one it takes.
      const before = this.#pool.threads;
      killer.abort(signal.reason);
      const taken = before.filter((thread) => !this.#pool.threads.includes(thread));
      ended = Promise.all(taken.map((thread) => thread.terminate()));
    };
    const pass = () => {
      const { name, message } = signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
      port.postMessage({ name, message });
      timer = setTimeout(kill, this.#options.abortGraceMs);
    };
    signal.addEventListener('abort', pass, { once: true });
    endNow.addEventListener('abort', kill, { once: true });
    const stop = () => {
      signal.removeEventListener('abort', pass);
      endNow.removeEventListener('abort', kill);
      clearTimeout(timer);
    };
    return { stop, threadsEnded: () => ended };
  }

  #failWaiting(error: unknown): void {
    this.#options.log.error({ err: error }, 'a handler thread could not start');
    for (const killer of this.#waiting) killer.abort(error);
  }
}

/** What ended the thread: an error that nobody caught, memory, or process.exit(), of which piscina makes an error. */
function lostFailure(cause: unknown): HandlerFailure {
  const failure = failureOf(cause);
  const exit = /^worker exited with code: (\d+)$/.exec(failure.message)?.[1];
  const what = exit === undefined ? failure.message : `it called process.exit(${exit})`;
  return HandlerFailure.of({ ...failure, message: `the thread of the handler ended: ${what}` });
}
