// The state of a system in a few figures, for the head of an audit: who leads, how many workers there are, and what waits since when.
// They are counted in a copy that was read bit by bit, so on a busy system they are near the truth and no more.

import { leaderOf } from '../coordination/leader-address.ts';
import { paths } from '../coordination/znode-paths.ts';
import type { TaskId, WorkerId } from '../domain/task.ts';
import { earliestStart } from '../domain/task-view.ts';
import { lookAtWorker } from './assignment-look.ts';
import { inTurns } from './in-turns.ts';
import { lookAt } from './suspicion.ts';
import { lookAtTask, type TaskLook } from './task-look.ts';
import type { SnapshotNode, TreeSnapshot } from './tree-snapshot.ts';
import { holdersIn, tasksIn, workersIn } from './tree-survey.ts';

/** Times are epoch ms. */
export interface Standing {
  readonly leader:
    | { readonly kind: 'ours'; readonly address: string; readonly since: number }
    /** No master of ours made `/master`, or somebody wrote into it. */
    | { readonly kind: 'stranger'; readonly since: number }
    /** There is a `/master`, and it may not be read. */
    | { readonly kind: 'hidden' }
    | { readonly kind: 'nobody' };
  /** Registered ones. */
  readonly workers: number;
  readonly unfinished: Unfinished;
  /** Of those that could run now the one that has waited longest; null: none waits. */
  readonly oldestQueued: { readonly id: TaskId; readonly since: number } | null;
}

export interface Unfinished {
  readonly scheduled: number;
  readonly queued: number;
  readonly running: number;
  /** May not be read, is of a newer version, or is ephemeral and can have no end. */
  readonly leftAlone: number;
}

/** `now`, epoch ms, says which tasks are due. */
export async function standingOf(tree: TreeSnapshot, now: number): Promise<Standing> {
  const look = lookAt(tree);
  const holders = holdersIn(tree);
  const unfinished = { scheduled: 0, queued: 0, running: 0, leftAlone: 0 };
  let oldestQueued: Standing['oldestQueued'] = null;
  for await (const id of inTurns(tasksIn(tree))) {
    const node = look(paths.task(id));
    if (!node || node.children.includes('status')) continue;
    const { state, since } = waitOf(lookAtTask(look, id), holders.get(id) ?? [], now);
    unfinished[state] += 1;
    if (state === 'queued' && since < (oldestQueued?.since ?? Infinity)) oldestQueued = { id, since };
  }
  const workers = [...workersIn(tree)].filter((id) => lookAtWorker(look, id) !== null).length;
  return { leader: leaderIn(look(paths.master)), workers, unfinished, oldestQueued };
}

function leaderIn(master: SnapshotNode | null): Standing['leader'] {
  if (!master) return { kind: 'nobody' };
  if (master.isHidden) return { kind: 'hidden' };
  return { since: master.stat.ctime, ...leaderOf(master) } as Standing['leader'];
}

/** `since` means something for a queued one only: its time had come, or it came into being or back after that. */
function waitOf(
  task: TaskLook | null,
  holders: readonly WorkerId[],
  now: number,
): { state: keyof Unfinished; since: number } {
  if (!task || task.reading.kind === 'newer' || task.node.stat.ephemeralOwner !== 0n) {
    return { state: 'leftAlone', since: 0 };
  }
  if (holders.length > 0) return { state: 'running', since: 0 };
  const { record, attempts, unblocked, node } = task;
  const last = attempts.at(-1)?.record;
  // The ensemble's clock may be ahead of ours: it has happened.
  const unblockedAt = unblocked && Math.min(unblocked.stat.ctime, now);
  const due = earliestStart(last?.retryAt ?? null, record, unblockedAt);
  if (due > now) return { state: 'scheduled', since: 0 };
  return { state: 'queued', since: Math.min(now, Math.max(due, last?.finishedAt ?? node.stat.ctime)) };
}
