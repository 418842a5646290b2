// Who runs what, known from `/assign` alone, also while no master leads: a mirror of names that reads no data. Whoever
// is interested in one task hears of each change of its assignment.

import type { TaskId, WorkerId } from '../domain/task.ts';
import type { Session } from './session.ts';
import { TreeCache } from './tree-cache.ts';
import { parseAssignPath, paths } from './znode-paths.ts';

export interface AssignmentDirectoryOptions {
  /** A task was given to a worker. */
  readonly onAssigned?: (task: TaskId) => void;
  /** It is complete again: what changed in an assignment since the link broke was not told. */
  readonly onSynced?: () => void;
}

export class AssignmentDirectory {
  readonly #workers = new Map<TaskId, WorkerId>();
  readonly #listeners = new Map<TaskId, Set<() => void>>();
  readonly #mirror: TreeCache;

  constructor(session: Session, { onAssigned, onSynced }: AssignmentDirectoryOptions = {}) {
    const listener = {
      onPresent: (path: string) => {
        const task = this.#set(path);
        if (task) onAssigned?.(task);
      },
      onAbsent: (path: string) => this.#unset(path),
      onChanged: (path: string) => this.#tell(parseAssignPath(path)?.task ?? null),
      onSynced: (synced: boolean) => {
        if (synced) onSynced?.();
      },
    };
    this.#mirror = new TreeCache(session, paths.assign, 2, listener, { content: 'names' });
  }

  /** Tasks that somebody listens to. */
  get listenedTo(): number {
    return this.#listeners.size;
  }

  /** Resolves when it is complete; rejects when the session ends before. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  workerOf(task: TaskId): WorkerId | null {
    return this.#workers.get(task) ?? null;
  }

  /** Calls `listener` whenever the task's assignment is made, written or removed; returns the function that ends that. */
  listen(task: TaskId, listener: () => void): () => void {
    const listeners = this.#listeners.get(task) ?? new Set();
    this.#listeners.set(task, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(task) === listeners) this.#listeners.delete(task);
    };
  }

  /** The task, where this is news. */
  #set(path: string): TaskId | null {
    const parsed = parseAssignPath(path);
    if (!parsed?.task || this.#workers.get(parsed.task) === parsed.worker) return null;
    this.#workers.set(parsed.task, parsed.worker);
    this.#tell(parsed.task);
    return parsed.task;
  }

  #unset(path: string): void {
    const parsed = parseAssignPath(path);
    if (!parsed?.task) return;
    if (this.#workers.get(parsed.task) === parsed.worker) this.#workers.delete(parsed.task);
    this.#tell(parsed.task);
  }

  #tell(task: TaskId | null): void {
    for (const listener of (task && this.#listeners.get(task)) ?? []) listener();
  }
}
