// What the ensemble tells the bench's own session of leaders, workers and assignments, each with the time at which it came: the one
// clock for all that is measured.

import type { NodeChange } from '../../coordination/connection.ts';
import type { Session } from '../../coordination/session.ts';
import { parseAssignPath, paths } from '../../coordination/znode-paths.ts';
import type { TaskId, WorkerId } from '../../domain/task.ts';
import { within } from '../../test/fault/session-harness.ts';

type Fits = (path: string, change: NodeChange) => boolean;

const waitMsMax = 60_000;

export class TreeEvents {
  readonly #waiting = new Map<Fits, (at: number) => void>();

  static async of(session: Session): Promise<TreeEvents> {
    const events = new TreeEvents();
    const listener = (path: string, change: NodeChange) => events.#tell(path, change);
    for (const root of [paths.master, paths.workers, paths.assign]) await session.watchRecursively(root, listener);
    return events;
  }

  /** When the first event from now on came that fits (performance.now()). */
  next(what: string, fits: Fits): Promise<number> {
    const seen = new Promise<number>((resolve) => this.#waiting.set(fits, resolve));
    return within(seen, what, waitMsMax).finally(() => this.#waiting.delete(fits));
  }

  #tell(path: string, change: NodeChange): void {
    const at = performance.now();
    for (const [fits, resolve] of this.#waiting) if (fits(path, change)) resolve(at);
  }
}

export function isGone(path: string): Fits {
  return (changed, change) => changed === path && change === 'removed';
}

/** Of any task to any worker. */
export const isAssigned: Fits = (path, change) => change === 'created' && Boolean(parseAssignPath(path)?.task);

/** Of this task to another worker than that. `changed`: that one has said how far it is. */
export function isElsewhere(task: TaskId, worker: WorkerId, wanted: 'created' | 'changed'): Fits {
  return (path, change) => {
    const assigned = parseAssignPath(path);
    return change === wanted && assigned?.task === task && assigned.worker !== worker;
  };
}
