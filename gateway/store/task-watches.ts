// Who waits for a change of which task, over sessions: each session watches for them anew. Watches fire once and are set
// again before anybody is told, so that a look after the telling misses nothing. A listener that is taken away leaves
// nothing behind.

import type { AssignmentDirectory } from '../../coordination/assignment-directory.ts';
import { isRefusal } from '../../coordination/coordination-error.ts';
import type { Session } from '../../coordination/session.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId } from '../../domain/task.ts';

export interface WatchSources {
  readonly session: Session;
  readonly directory: AssignmentDirectory;
}

interface Watcher {
  readonly id: TaskId;
  readonly listener: () => void;
  /** Ends what watches for it in the present session. */
  stop: () => void;
}

export class TaskWatches {
  #sources: WatchSources | null = null;
  readonly #watchers = new Set<Watcher>();
  /** Those who wait for a session, to look again when there is one. */
  readonly #waiting = new Set<() => void>();

  /** Listeners, and waits that have no session. */
  get size(): number {
    return this.#watchers.size + this.#waiting.size;
  }

  /** A session begins. */
  begin(sources: WatchSources): void {
    this.#sources = sources;
    for (const watcher of this.#watchers) watcher.stop = follow(sources, watcher);
    this.wakeAll();
  }

  end(): void {
    this.#sources = null;
    for (const watcher of this.#watchers) watcher.stop();
  }

  /** After a time in which changes may have been missed. */
  wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
    for (const { listener } of [...this.#watchers]) listener();
  }

  /** As TaskStore.watch. */
  watch(id: TaskId, listener: () => void): () => void {
    const watcher: Watcher = { id, listener, stop: () => undefined };
    this.#watchers.add(watcher);
    if (this.#sources) watcher.stop = follow(this.#sources, watcher);
    return () => {
      this.#watchers.delete(watcher);
      watcher.stop();
    };
  }

  /** As TaskStore.changed. */
  changed(id: TaskId, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let cancel = (): void => undefined;
      const finish = () => {
        cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      signal.addEventListener('abort', finish);
      if (signal.aborted) finish();
      else cancel = this.#untilStatus(id, finish);
    });
  }

  /** Calls `wake` once the task may have its status, or a session is there again. */
  #untilStatus(id: TaskId, wake: () => void): () => void {
    const session = this.#sources?.session;
    if (!session) {
      this.#waiting.add(wake);
      return () => void this.#waiting.delete(wake);
    }
    const { stat, cancel } = session.watch(paths.status(id), wake);
    stat.then(
      (found) => {
        if (found) wake();
      },
      () => wake(),
    );
    // One that ended just now is watched until its removal: the event then costs less than to have the watch taken back.
    return () => cancel('if there');
  }
}

/**
 * The status tells of the end, the assignment of a run, of progress and of the end of an attempt, and the task itself of its
 * removal: that of a task without a status would be told by nothing else.
 */
function follow({ session, directory }: WatchSources, { id, listener }: Watcher): () => void {
  const stops = [
    followZnode(session, paths.status(id), listener),
    followZnode(session, paths.task(id), listener),
    directory.listen(id, listener),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function followZnode(session: Session, path: string, listener: () => void): () => void {
  let cancel = (): void => undefined;
  let stopped = false;
  const arm = () => {
    const watch = session.watch(path, () => {
      if (stopped || session.signal.aborted) return;
      arm();
      listener();
    });
    cancel = watch.cancel;
    watch.stat.catch((error: unknown) => {
      // Nobody answered in time, so nothing watches. Any other failure is the session's end.
      if (cancel !== watch.cancel || stopped || !isRefusal(error, 'deadline_exceeded')) return;
      watch.cancel();
      arm();
      listener();
    });
  };
  arm();
  return () => {
    stopped = true;
    cancel();
  };
}
