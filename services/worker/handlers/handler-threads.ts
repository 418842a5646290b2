// Runs the user's handlers in worker threads (piscina), one run in a thread at a time, so that a handler which blocks,
// throws out of turn, calls process.exit() or fills its heap costs its own thread only. The abort of a run is passed into its
// thread; a handler that has not settled after a grace, or when there is no time left, is ended with its thread. A run is over only when its handler has
// settled, its thread is gone, or it is certain that its handler will not be called: a thread that has not come so far is not ended, since V8 ends
// the whole process with a thread that is ended while it loads modules by `require`, as piscina does first with our own.

import { once } from 'node:events';
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Json } from '../../../domain/task.ts';
import type { Log } from '../../../runtime/log.ts';
import type { HandlerContext } from './handler.ts';
import { failureOf, HandlerFailure } from './handler-failure.ts';
import { handlerLimits } from './handler-limits.ts';
import {
  type FromThread,
  type LateErrorMessage,
  runStates,
  type ThreadOrder,
  type ThreadReply,
} from './thread-messages.ts';

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
  /** What threads threw that were being ended. */
  readonly #lateErrors = new Set<unknown>();
  /** Of what has threads started for those that wait. */
  readonly #starters = new Set<AbortController>();
  /** What is still to come of runs that were revoked: their threads are loading. */
  readonly #revoked = new Set<Promise<ThreadReply>>();
  /** Threads that have loaded what they run handlers with. */
  readonly #started = new WeakSet<Worker>();

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
    // piscina says so when a thread has started, not when it is created.
    this.#pool.on('workerCreate', ({ id }: { readonly id: number }) => {
      for (const thread of this.#pool.threads) if (thread.threadId === id) this.#started.add(thread);
    });
    this.#pool.on('workerDestroy', () => setImmediate(() => this.#replaceForWaiting()));
    // Handler threads keep their errors (thread-entry.ts), so what arrives here could not even start, or was ended just then.
    this.#pool.on('error', (error) => {
      if (!this.#lateErrors.delete(error)) this.#failWaiting(error);
    });
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
    await this.#untilStarted();
    await Promise.allSettled(this.#revoked); // `patience` ends those that hang
    await this.#pool.destroy();
  }

  async #untilStarted(): Promise<void> {
    const late = AbortSignal.timeout(handlerLimits.threadLoadMsMax);
    while (!late.aborted && this.#pool.threads.some((thread) => !this.#started.has(thread))) {
      const changed = new AbortController();
      const signal = AbortSignal.any([late, changed.signal]);
      const changes = ['workerCreate', 'workerDestroy'].map((event) => once(this.#pool, event, { signal }));
      await Promise.race(changes).catch(() => undefined); // one that cannot start is an error, and none of ours any more
      for (const change of changes) change.catch(() => undefined);
      changed.abort();
    }
  }

  async #runOrder(
    order: Omit<ThreadOrder, 'port' | 'state'>,
    context: Pick<HandlerContext, 'signal' | 'endNow' | 'progress'>,
  ): Promise<Json> {
    for (let starts = 1; ; starts++) {
      context.signal.throwIfAborted();
      try {
        const reply = await this.#runOnce(order, context);
        if (reply.kind === 'result') return JSON.parse(reply.text) as Json;
        if (reply.kind === 'failure') throw HandlerFailure.of(reply.failure);
        throw context.signal.reason;
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error;
        // Its thread died of an earlier run, and the handler has not seen this one: that is nobody's failed attempt.
        if (!error.hadBegun && starts < handlerLimits.threadStartsMax && !context.signal.aborted) continue;
        throw lostFailure(error.cause);
      }
    }
  }

  async #runOnce(
    order: Omit<ThreadOrder, 'port' | 'state'>,
    { signal, endNow, progress }: Pick<HandlerContext, 'signal' | 'endNow' | 'progress'>,
  ): Promise<ThreadReply> {
    const { port1, port2 } = new MessageChannel();
    const state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const killer = new AbortController();
    let hasBegun = false;
    const receive = (message: FromThread) => {
      if (message.kind === 'progress') return progress(message.percent, message.message);
      hasBegun = true;
      this.#waiting.delete(killer);
    };
    port1.on('message', receive);
    this.#waiting.add(killer);
    const bridge = this.#bridgeAbort({ signal, endNow }, port1, state, killer);
    const options = { transferList: [port2], signal: killer.signal };
    const reply: Promise<ThreadReply> = this.#pool.run({ ...order, port: port2, state }, options);
    const over = () => {
      this.#revoked.delete(reply);
      bridge.threadIsDone();
      this.#waiting.delete(killer);
      port1.close();
    };
    try {
      const first = await Promise.race([reply, bridge.revoked]);
      if (first.kind === 'revoked') this.#revoked.add(reply);
      return first;
    } catch (error) {
      await bridge.threadsEnded();
      // What the thread said before it died may still be on its way.
      for (let left = receiveMessageOnPort(port1); left; left = receiveMessageOnPort(port1)) receive(left.message);
      throw new ThreadLost(hasBegun, killer.signal.aborted ? killer.signal.reason : error);
    } finally {
      bridge.stop();
      void reply.catch(() => undefined).then(over); // of a revoked run the thread may still be loading
    }
  }

  /** Passes an abort on to the thread, and after the grace, or on `endNow`, revokes the run or ends the thread by `killer`. */
  #bridgeAbort(
    { signal, endNow }: Pick<HandlerContext, 'signal' | 'endNow'>,
    port: MessagePort,
    state: Int32Array,
    killer: AbortController,
  ) {
    let grace: NodeJS.Timeout | undefined;
    let patience: NodeJS.Timeout | undefined;
    let ended: Promise<unknown> = Promise.resolve();
    let revoke: (reply: ThreadReply) => void = () => undefined;
    const revoked = new Promise<ThreadReply>((resolve) => {
      revoke = resolve;
    });
    const kill = () => {
      if (killer.signal.aborted) return;
      // piscina rejects before the thread has ended, and its list is the only way to see which one it takes.
      const before = this.#pool.threads;
      killer.abort(signal.reason);
      const taken = before.filter((thread) => !this.#pool.threads.includes(thread));
      // It may have thrown already, and nobody has heard of it: the pool does not know any more whose that was.
      for (const thread of taken) thread.prependListener('error', (error) => this.#lateErrors.add(error));
      ended = Promise.all(taken.map((thread) => thread.terminate()));
    };
    const end = () => {
      const before = Atomics.compareExchange(state, 0, runStates.waiting, runStates.revoked);
      if (before === runStates.called) return kill();
      patience ??= setTimeout(kill, handlerLimits.threadLoadMsMax);
      revoke({ kind: 'revoked' });
    };
    const pass = () => {
      const { name, message } = signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
      port.postMessage({ name, message });
      grace = setTimeout(end, this.#options.abortGraceMs);
    };
    signal.addEventListener('abort', pass, { once: true });
    endNow.addEventListener('abort', end, { once: true });
    const stop = () => {
      signal.removeEventListener('abort', pass);
      endNow.removeEventListener('abort', end);
      clearTimeout(grace);
    };
    return { revoked, stop, threadIsDone: () => clearTimeout(patience), threadsEnded: () => ended };
  }

  /** piscina starts no thread for what waits in its line when one has ended, only for what comes: so something comes. */
  #replaceForWaiting(): void {
    if (this.#waiting.size === 0 || this.#pool.queueSize === 0) return;
    const starter = new AbortController();
    this.#starters.add(starter);
    const started = this.#pool.run(null, { name: 'doNothing', signal: starter.signal });
    void started.catch(() => undefined).then(() => this.#starters.delete(starter));
  }

  /** Nothing stays in the line: whatever did would have a thread started for it again, which could not start either. */
  #failWaiting(error: unknown): void {
    this.#options.log.error({ err: error }, 'a handler thread could not start');
    for (const waiting of [...this.#waiting, ...this.#starters]) waiting.abort(error);
  }
}

/** What ended the thread: an error that nobody caught, memory, or process.exit(), of which piscina makes an error. */
function lostFailure(cause: unknown): HandlerFailure {
  const failure = failureOf(cause);
  const exit = /^worker exited with code: (\d+)$/.exec(failure.message)?.[1];
  const what = exit === undefined ? failure.message : `it called process.exit(${exit})`;
  return HandlerFailure.of({ ...failure, message: `the thread of the handler ended: ${what}` });
}
