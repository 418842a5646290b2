// Who runs what, known from `/assign` alone, also while no master leads: a mirror of names that reads no data. Whoever
// is interested in one task hears of each change of its assignment.
//
// It is kept for as long as somebody asks: to be told of every assignment of every task costs this process and its server a
// good part of what a submit costs them, and who only submits, or waits for the end of a task, has no use for it.

import type { TaskId, WorkerId } from '../domain/task.ts';
import { monotonicMs } from '../runtime/clock.ts';
import { CoordinationError } from './coordination-error.ts';
import type { Session } from './session.ts';
import { TreeCache } from './tree-cache.ts';
import { parseAssignPath, paths } from './znode-paths.ts';

export interface AssignmentDirectoryOptions {
  /** A task was given to a worker. */
  readonly onAssigned?: (task: TaskId) => void;
  /** It is complete again: what changed in an assignment since the link broke was not told. */
  readonly onSynced?: () => void;
  /** How long it is kept after it was last asked for. To begin again costs a list of each worker's assignments. */
  readonly keptMs?: number;
  /** While this is true `onAssigned` is waited for, so it is kept. */
  readonly isNeeded?: () => boolean;
}

const keptMsDefault = 5000;
/** Before it is tried again for those who listen: somebody has to let us read `/assign` first. */
const pauseAfterFailureMs = 2000;

export class AssignmentDirectory {
  readonly #session: Session;
  readonly #options: AssignmentDirectoryOptions;
  readonly #workers = new Map<TaskId, WorkerId>();
  readonly #listeners = new Map<TaskId, Set<() => void>>();
  #mirror: TreeCache | null = null;
  #following: Promise<void> | null = null;
  #isComplete = false;
  #askedAt = 0;
  #stopping: Promise<void> = Promise.resolve();

  constructor(session: Session, options: AssignmentDirectoryOptions = {}) {
    this.#session = session;
    this.#options = options;
  }

  /** Tasks that somebody listens to. */
  get listenedTo(): number {
    return this.#listeners.size;
  }

  /** Whether {@link workerOf} knows everything there is, as of now or of when the link broke. */
  get isFollowed(): boolean {
    return this.#isComplete;
  }

  /**
   * Resolves when {@link isFollowed}, for a while from now on. Throws CoordinationError when the session ends before, or may not read
   * `/assign`; whoever does not wait need not catch that.
   */
  follow(): Promise<void> {
    this.#askedAt = monotonicMs();
    if (!this.#following) {
      this.#following = this.#begin();
      this.#following.catch(() => undefined);
    }
    return this.#following;
  }

  async #begin(): Promise<void> {
    try {
      await this.#stopping;
      this.#mirror = this.#newMirror();
      await this.#mirror.start();
      this.#isComplete = true;
      this.#askedAt = monotonicMs(); // whoever asked has waited for it until now
      this.#endLater();
    } catch (error) {
      this.#end();
      if (this.#session.signal.aborted) throw new CoordinationError('session_lost', 'not applied', 'who runs what');
      if (this.#listeners.size > 0) setTimeout(() => this.follow(), pauseAfterFailureMs).unref();
      throw error;
    }
  }

  #newMirror(): TreeCache {
    const { onAssigned, onSynced } = this.#options;
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
    return new TreeCache(this.#session, paths.assign, 2, listener, { content: 'names' });
  }

  #endLater(): void {
    const { keptMs = keptMsDefault } = this.#options;
    const isNeeded = this.#listeners.size > 0 || this.#options.isNeeded?.();
    const unusedMs = isNeeded ? 0 : monotonicMs() - this.#askedAt;
    if (unusedMs < keptMs) setTimeout(() => this.#endLater(), keptMs - unusedMs).unref();
    else this.#end();
  }

  #end(): void {
    this.#isComplete = false;
    this.#following = null;
    this.#stopping = this.#mirror?.stop() ?? Promise.resolve();
    this.#mirror = null;
    this.#workers.clear();
  }

  workerOf(task: TaskId): WorkerId | null {
    return this.#workers.get(task) ?? null;
  }

  /**
   * Calls `listener` whenever the task's assignment is made, written or removed, and follows for as long as that is so; returns the
   * function that ends it. What was missed before is for `onSynced`.
   */
  listen(task: TaskId, listener: () => void): () => void {
    void this.follow();
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
