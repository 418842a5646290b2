// Limits that only the running of handlers knows; those which clients may rely on are in domain/limits.ts.

export const handlerLimits = {
  /** From the abort of a run until its thread is ended by force. Leaves most of `withdrawGraceMs` for the commit. */
  threadAbortGraceMs: 1000,
  /** A thread that is starting, or loads a module, is not ended before it is done with that, or hangs in it for so long. */
  threadLoadMsMax: 5000,
  /** A thread without work ends after this; a burst does not pay for new threads each time. */
  threadIdleMs: 30_000,
  /** Old-generation heap of one handler thread. */
  threadHeapMb: 512,
  /** Starts of one run: a thread may die (of what an earlier run left behind) before it begins. */
  threadStartsMax: 3,
  /** Loading one module of HANDLERS_DIR at start-up. */
  moduleLoadMsMax: 10_000,
  /** Progress leaves a thread at most this often; a loop around progress() must not flood the main thread. */
  progressIntervalMs: 100,
  progressMessageCharactersMax: 256,
  /** Of the stack of a failed attempt in the log, with those of its causes. */
  failureStackCharactersMax: 16 * 1024,
  /** Errors that one failure consists of: itself, its causes, and theirs. */
  failureCausesMax: 20,
  /** Of a `retryable` or `retryAfterMs` that is none, in the log. */
  ignoredWishCharactersMax: 100,
  /** Linux takes no longer single argument (MAX_ARG_STRLEN, 32 pages, with its final zero). */
  shellCommandBytesMax: 128 * 1024 - 1,
  /** End of stderr that is quoted in the error of a failed command. */
  shellErrorTailBytes: 1024,
  /** Pipes for the output of commands that are kept ready; a command takes two. */
  outputPipesReadyMax: 16,
  /** A guardian that does not confirm a command in this time is replaced. */
  guardianAnswerMsMax: 5000,
  /** The lease is told to the guardian at most this often. */
  guardianLeaseIntervalMs: 100,
  httpRedirectsMax: 5,
} as const;
