// How much of everything there is, and what is allowed to it: of the command, which takes minutes, and of the test, which takes seconds. The
// bounds on time are far above what is measured on a machine with nothing else to do: they tell a system that suffers from one that is slow.

export interface Sizes {
  readonly servers: number;
  /** MAX_UNFINISHED_TASKS, beside those that were there before. */
  readonly unfinishedMax: number;
  /** `maxQueued` of the queue that has one. */
  readonly queuedMax: number;
  /** MAX_WAITS: so many clients wait, and one more. */
  readonly waits: number;
  /** Those whose time is to be up wait for so long; all of them have asked before. */
  readonly shortWaitSeconds: number;
  readonly streams: number;
  readonly eventStreams: number;
  /** Clients that read nothing. */
  readonly deaf: number;
  /** Submits in flight over each face. */
  readonly lanes: number;
  /** Of the client that submits as fast as it can. */
  readonly floodSeconds: number;
  /** MAX_FINISHED_TASKS while it does, beside those that were there before. */
  readonly finishedMax: number;
  /** Of other phases that last. */
  readonly phaseSeconds: number;
  readonly connections: number;
  /** In the tree before anything begins: half of them finished, half waiting for a worker that there is not. */
  readonly among: number;
  /** Before the first look. */
  readonly warmUpSeconds: number;
  readonly bounds: Bounds;
}

export interface Bounds {
  /** Of a polite client's request. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of its requests that may be answered by a 503 with `Retry-After`, 0 to 100. */
  readonly refusedPercent: number;
  /** From the end of a task to the answer of who waits for it. */
  readonly answerMs: number;
  /** Until what was refused is taken again, and until everything is as it was. */
  readonly recoveryMs: number;
  readonly loopDelayMs: number;
  /** Of one process: over what it had at rest, while the load lasts. */
  readonly peakMb: number;
  /** What it holds more than before, when all is over and garbage is collected. */
  readonly heldMb: number;
  /** How much it may grow from the second to the last quarter of the long flood. */
  readonly growthMb: number;
}

const bounds: Bounds = {
  p50Ms: 250,
  p99Ms: 2000,
  refusedPercent: 1,
  answerMs: 10_000,
  recoveryMs: 15_000,
  loopDelayMs: 2000,
  peakMb: 500,
  heldMb: 20,
  growthMb: 60,
};

export const fullSizes: Sizes = {
  servers: 1,
  unfinishedMax: 20_000,
  queuedMax: 1000,
  waits: 10_000,
  shortWaitSeconds: 20,
  streams: 2000,
  eventStreams: 50,
  deaf: 500,
  lanes: 64,
  floodSeconds: 120,
  finishedMax: 5000,
  phaseSeconds: 5,
  connections: 5000,
  among: 0,
  warmUpSeconds: 5,
  bounds,
};

/** The same on a busy machine in seconds. */
export const smallSizes: Sizes = {
  ...fullSizes,
  unfinishedMax: 1500,
  queuedMax: 200,
  waits: 400,
  shortWaitSeconds: 5,
  streams: 200,
  eventStreams: 5,
  deaf: 20,
  lanes: 16,
  floodSeconds: 2,
  finishedMax: 300,
  phaseSeconds: 1,
  connections: 100,
  warmUpSeconds: 0.5,
  bounds: { ...bounds, p50Ms: 2000, p99Ms: 10_000, recoveryMs: 30_000, loopDelayMs: 10_000, peakMb: 300 },
};
