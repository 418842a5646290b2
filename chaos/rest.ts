// What a fleet looks like when it has nothing to do: what each process holds, to be compared with what it held before there was anything, and
// whether what the masters have in memory is what the tree says. All of it becomes entries of the record.

import { setTimeout as delay } from 'node:timers/promises';
import { comparePicture } from '../audit/compare-picture.ts';
import { fetchPicture } from '../audit/master-picture.ts';
import type { TreeSnapshot } from '../audit/tree-snapshot.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { FleetService } from './fleet/service.ts';
import type { Leftover, Picture } from './record.ts';

/** By process, what it holds, counted by name. */
export type Holdings = ReadonlyMap<string, Readonly<Record<string, number>>>;

const pictureMsMax = 10_000;
const lookAgainMs = 500;

/** Of every service. */
export async function holdingsOf({ services }: Fleet): Promise<Holdings> {
  return new Map(await Promise.all(services.map(async (service) => [service.id, await heldBy(service)] as const)));
}

/**
 * What each holds, once that is no more than before, and at most so much later: connections that are kept for a while, and threads that wait for
 * work, end by themselves.
 */
export async function leftovers(fleet: Fleet, before: Holdings, waitMs: number): Promise<Leftover[]> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const end = await holdingsOf(fleet);
    const all = [...end].map(([id, its]) => ({
      ...({ kind: 'leftover', id, baseline: before.get(id) ?? {}, end: its } as const),
    }));
    const isOver = all.every(({ baseline, end: its }) =>
      Object.keys(its).every((name) => (its[name] ?? 0) <= (baseline[name] ?? 0)),
    );
    if (isOver || performance.now() > deadline) return all;
    await delay(lookAgainMs);
  }
}

async function heldBy(service: FleetService): Promise<Record<string, number>> {
  const metrics = await service.metrics();
  const held: Record<string, number> = {};
  for (const [, type = '', count] of metrics.matchAll(/^nodejs_active_resources\{type="(\w+)".*\} (\d+)$/gm)) {
    held[type] = Number(count);
  }
  const files = /^process_open_fds(?:\{.*\})? (\d+)$/m.exec(metrics)?.[1];
  const waits = /^taskkeeper_waiting_requests(?:\{.*\})? (\d+)$/m.exec(metrics)?.[1];
  return { ...held, files: Number(files), ...(waits !== undefined && { waits: Number(waits) }) };
}

/** Of masters in any state; one that tells none is different in that. */
export function pictures({ masters }: Fleet, tree: TreeSnapshot): Promise<Picture[]> {
  return Promise.all(
    masters.map(
      async ({ id, port }) => ({ kind: 'picture', id, differences: await differencesOf(port, tree) }) as const,
    ),
  );
}

async function differencesOf(port: number, tree: TreeSnapshot): Promise<string[]> {
  try {
    const picture = await fetchPicture(`127.0.0.1:${port}`, AbortSignal.timeout(pictureMsMax));
    return comparePicture(picture, tree).map(({ path, what }) => `${path} ${what}`);
  } catch (error) {
    return [`it tells none: ${(error as Error).message}`];
  }
}
