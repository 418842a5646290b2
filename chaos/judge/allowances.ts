// How much the judge puts down to clocks, signals and a machine that is busy. A rule that goes by transactions needs none of it; those that
// go by time are wide rather than sharp, since a false alarm costs more trust than it is worth.

export const allowances = {
  /** Between the clock of the record and the wall clock, over a whole run. */
  clocksMs: 200,
  /** Between a signal that was sent and the line of the record that says so. */
  signalMs: 100,
  /**
   * A worker that goes on after a pause ends what it may run no longer within this: its timer for that has long been due, and it tells its threads at
   * once. Where nothing else wants the processor that takes a few ms.
   */
  noticeMs: 500,
  /** Handlers beat every 25 ms: where none came for so long, the machine had stopped the process by itself. */
  stallMs: 100,
  /** Until then a process may still be loading its code. */
  startingMs: 5000,
  /** Commands of a worker that was killed die with it, within this. */
  commandsDeadMs: 1000,
  /** A handler that is deaf to its signal is ended with its thread, a command that is deaf by SIGKILL, within this. */
  deafMs: 3500,
  /** How often masters act, apart from each other, before they have done for certain what they knew was to be done. */
  acts: 20,
  /** The same of something that they do at once, or never. */
  passes: 4,
  /** The leading master writes `/backlog` within a second of the last change, after its last commit. */
  backlogMs: 3000,
  /** Tasks are kept at least so long, so in a shorter run none goes by itself. */
  retentionMs: 3_600_000,
} as const;

/** After the end of a fault it takes so long until each process has the session that it goes on with. */
export function recoveryMs(sessionTimeoutMs: number): number {
  return sessionTimeoutMs + 1000;
}

/** So long before the ensemble can end its session a worker does not trust it any more, and ends what it runs. */
export function leaseMarginMs(sessionTimeoutMs: number): number {
  return Math.max(25, sessionTimeoutMs / 20);
}

/**
 * What the ensemble has heard last of a worker may be so old when nothing is wrong: a heartbeat comes each fifth of the timeout, and its server
 * takes almost another fifth to pass on that it came.
 */
export function renewalMs(sessionTimeoutMs: number): number {
  return (2 * sessionTimeoutMs) / 5;
}

/** After the end of a fault a worker is heard of again within this: a pause of a sixth of the timeout, and a handshake that failed before, of a third. */
export function reconnectMs(sessionTimeoutMs: number): number {
  return sessionTimeoutMs / 2;
}

/** An outcome is reported so long after the end of its run at most, with a report of its progress still on the way; later its session is over. */
export function reportMs(sessionTimeoutMs: number): number {
  return 2 * sessionTimeoutMs + 1000;
}
