// The numbers of tasks, as the server gives them: one more with each creation below `/tasks`, whatever it is called. People may
// name a task as they like, so what names there are does not tell where the sequence stands.

import type { Stat } from './jute.ts';
import type { Session } from './session.ts';
import { paths } from './znode-paths.ts';
import type { Operation } from './zookeeper-requests.ts';

/**
 * What the next sequential child gets: the server numbers them by the creations below the parent, and shows
 * cversion = 2 * creations - children in 32 bits, which is negative after 2^30 of them.
 */
export function nextSequenceNumber({ cversion, numChildren }: Pick<Stat, 'cversion' | 'numChildren'>): number {
  return ((cversion + numChildren) >>> 0) / 2;
}

/**
 * Somebody has made a task by hand with the name that comes next: the server refuses to give it, and so each create from then
 * on, until the sequence has gone on. It goes on by `creations`.
 */
export async function stepOver(session: Session, creations: number): Promise<void> {
  const path = `${paths.tasks}/stepped-over`;
  const steps = Array.from({ length: creations }, (): Operation[] => [
    { kind: 'create', path, data: Buffer.alloc(0), mode: 'persistent' },
    { kind: 'remove', path, version: null },
  ]);
  await session.commit(steps.flat());
}
