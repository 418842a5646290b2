// Who runs what, known from `/assign` alone, also while no master leads: a mirror of names that reads no data.

import type { TaskId, WorkerId } from '../domain/task.ts';
import type { Session } from './session.ts';
import { TreeCache } from './tree-cache.ts';
import { parseAssignPath, paths } from './znode-paths.ts';

export class AssignmentDirectory {
  readonly #workers = new Map<TaskId, WorkerId>();
  readonly #mirror: TreeCache;

  constructor(session: Session) {
    const listener = {
      onPresent: (path: string) => this.#set(path),
      onAbsent: (path: string) => this.#unset(path),
      onSynced: () => undefined,
    };
    this.#mirror = new TreeCache(session, paths.assign, 2, listener, 'names');
  }

  /** Resolves when it is complete; rejects when the session ends before. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  workerOf(task: TaskId): WorkerId | null {
    return this.#workers.get(task) ?? null;
  }

  #set(path: string): void {
    const parsed = parseAssignPath(path);
    if (parsed?.task) this.#workers.set(parsed.task, parsed.worker);
  }

  #unset(path: string): void {
    const parsed = parseAssignPath(path);
    if (parsed?.task && this.#workers.get(parsed.task) === parsed.worker) this.#workers.delete(parsed.task);
  }
}
