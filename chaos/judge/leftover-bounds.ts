// How much more than before it had been used a process may hold of what, when it has nothing to do. Asked by the run, which waits until none holds
// more, and by the judge. Pure.

import type { Leftover } from '../record.ts';

/**
 * In real runs of two minutes and 50 faults nothing ended above its baseline by more than one, but for the status watches of gateways: by up to six. So
 * these are for what is just going on in a process: it renews its session, writes its log, is asked for its metrics. What is left over from each
 * fault, or from each of some calls, is soon more.
 */
const allowedMore: Readonly<Record<string, number>> = {
  watches: 10,
  timers: 10,
  files: 5,
  links: 1,
  sockets: 10,
  pipes: 10,
  /** A handler thread for each slot of a worker, which ends when nobody has used it for half a minute. */
  threads: 16,
  /**
   * A gateway keeps that of a task which ended just when somebody asked to wait for it, until the task is removed: few, but the more the longer
   * the run.
   */
  'status watches': 40,
};

/** Two pipes belong to each idle handler thread, as long as it is there. */
const ofThread: Readonly<Record<string, number>> = { pipes: 2 };

/** What there is too much of, by how much it is more than before. */
export function excessOf({ baseline, end }: Pick<Leftover, 'baseline' | 'end'>): { kind: string; more: number }[] {
  const moreOf = (kind: string) => (end[kind] ?? 0) - (baseline[kind] ?? 0);
  const threads = Math.max(0, moreOf('threads'));
  return Object.keys(end)
    .map((kind) => ({ kind, more: moreOf(kind) }))
    .filter(({ kind, more }) => more > (allowedMore[kind] ?? 0) + threads * (ofThread[kind] ?? 0));
}
