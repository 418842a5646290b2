// How much the judge puts down to clocks, signals and a machine that is busy. A rule that goes by transactions needs none of it; those that
// go by time are wide rather than sharp, since a false alarm costs more trust than it is worth.

export const allowances = {
  /** Between the clock of the record and the wall clock, over a whole run. */
  clocksMs: 200,
  /** Between a signal that was sent and the line of the record that says so. */
  signalMs: 100,
  /** A process that goes on after a freeze ends its runs within this. */
  thawMs: 2000,
  /** Handlers beat every 25 ms: where none came for so long, the machine had stopped the process by itself. */
  stallMs: 100,
  /** The same as `thawMs`, after such a stall. */
  stallEndMs: 500,
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
  /**
   * Of anything, a process may hold so much more than before it had been used: idle threads, pipes that are kept ready, up to a bound. What
   * is left over from each of some calls or faults is soon more.
   */
  leftover: 150,
  /** Tasks are kept at least so long, so in a shorter run none goes by itself. */
  retentionMs: 3_600_000,
} as const;

/** After the end of a fault it takes so long until each process has the session that it goes on with. */
export function recoveryMs(sessionTimeoutMs: number): number {
  return sessionTimeoutMs + 1000;
}

/** An outcome is reported so long after the end of its run at most, with a report of its progress still on the way; later its session is over. */
export function reportMs(sessionTimeoutMs: number): number {
  return 2 * sessionTimeoutMs + 1000;
}
