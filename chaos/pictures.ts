// Whether what the masters of a fleet have in memory is what the tree says, when nothing goes on.

import { setTimeout as delay } from 'node:timers/promises';
import { comparePicture } from '../audit/compare-picture.ts';
import { fetchPicture } from '../audit/master-picture.ts';
import type { TreeSnapshot } from '../audit/tree-snapshot.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Picture } from './record.ts';

const pictureMsMax = 30_000;
const lookAgainMs = 500;

/** Of masters in any state; one that tells none is different in that. */
export function picturesOf({ masters }: Fleet, tree: TreeSnapshot): Promise<Picture[]> {
  return Promise.all(
    masters.map(
      async ({ id, port }) => ({ kind: 'picture', id, differences: await differencesOf(port, tree) }) as const,
    ),
  );
}

/** A master has no picture to tell of while it has no session, which on a busy machine may come and go. */
async function differencesOf(port: number, tree: TreeSnapshot): Promise<string[]> {
  const signal = AbortSignal.timeout(pictureMsMax);
  for (;;) {
    try {
      const picture = await fetchPicture(`127.0.0.1:${port}`, signal);
      return comparePicture(picture, tree).map(({ path, what }) => `${path} ${what}`);
    } catch (error) {
      if (signal.aborted) return [`it tells none: ${(error as Error).message}`];
      await delay(lookAgainMs);
    }
  }
}
