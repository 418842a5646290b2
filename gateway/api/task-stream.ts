// The changes of one task as a stream. Each look at the task tells its whole history, so a slow reader, a lost session or
// another gateway than last time misses nothing: what is sent is whatever came after what was sent last.

import { ServiceError } from '../../domain/errors.ts';
import type { TaskId } from '../../domain/task.ts';
import { type HistoryStep, stepsAfter, taskHistory } from '../../domain/task-history.ts';
import { isSameTask, notBefore, type TaskSnapshot, type TaskView } from '../../domain/task-view.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import { serverLimits } from '../server-limits.ts';
import { restUntil } from './rest.ts';
import { taskNotFound } from './task-id.ts';
import type { TaskStore } from './task-store.ts';

export type TaskChange =
  | { readonly kind: 'task'; readonly eventId: string; readonly task: TaskView }
  /** What came before the next one is not known. */
  | { readonly kind: 'reset' };

/** Longer than this a timer cannot be. */
const timerMsMax = 2 ** 31 - 1;
const retryMs = 1000;

/**
 * Begins with the present state, or, where `lastEventId` is a step of the task's history, after that; null where that was
 * its end. It ends with the final state, or with `signal`. Throws 'task-not-found' and 'task-unreadable', the stream too, when the
 * task is removed, or written by a newer version of us, before its end was seen.
 */
export async function streamTask(
  store: TaskStore,
  id: TaskId,
  lastEventId: string | null,
  signal: AbortSignal,
): Promise<AsyncIterable<TaskChange> | null> {
  const watch = new Watch(store, id, signal);
  try {
    const snapshot = await store.read(id);
    if (!snapshot) throw taskNotFound(id);
    const history = taskHistory(snapshot, Date.now());
    if (snapshot.status && history.at(-1)?.id === lastEventId) {
      watch.close();
      return null;
    }
    return changes(watch, snapshot, lastEventId);
  } catch (error) {
    watch.close();
    throw error;
  }
}

async function* changes(watch: Watch, first: TaskSnapshot, lastEventId: string | null): AsyncIterable<TaskChange> {
  try {
    let snapshot = first;
    let history = taskHistory(snapshot, Date.now());
    const resumed = lastEventId === null ? null : stepsAfter(history, lastEventId);
    if (lastEventId !== null && resumed === null) yield { kind: 'reset' };
    yield* (resumed ?? history.slice(-1)).map(changeOf);
    for (;;) {
      if (snapshot.status) return;
      const seen = history.at(-1);
      const next = await watch.next(snapshot);
      if (!next) return;
      history = taskHistory(next, Date.now());
      // A run that was handed back is a step back: then only the present is told.
      const news = (seen && stepsAfter(history, seen.id)) ?? history.slice(-1);
      yield* (news.length === 0 && hasProgressed(snapshot, next) ? history.slice(-1) : news).map(changeOf);
      snapshot = next;
    }
  } finally {
    watch.close();
  }
}

function changeOf(step: HistoryStep): TaskChange {
  return { kind: 'task', eventId: step.id, task: step.view() };
}

function hasProgressed(before: TaskSnapshot, after: TaskSnapshot): boolean {
  return JSON.stringify(before.assignment?.record.progress) !== JSON.stringify(after.assignment?.record.progress);
}

/** Looks at the task again whenever that is worthwhile. Close it. */
class Watch {
  readonly #store: TaskStore;
  readonly #id: TaskId;
  readonly #signal: AbortSignal;
  readonly #stopListening: () => void;
  #changed = false;
  #wake: () => void = () => undefined;
  #lookedAt = 0;

  constructor(store: TaskStore, id: TaskId, signal: AbortSignal) {
    this.#store = store;
    this.#id = id;
    this.#signal = signal;
    const onChange = () => {
      this.#changed = true;
      this.#wake();
    };
    this.#stopListening = store.watch(id, onChange);
  }

  /** The task after the next change, or when its time has come; null when nobody listens any more. */
  async next(present: TaskSnapshot): Promise<TaskSnapshot | null> {
    await this.#untilChanged(present.assignment ? 0 : notBefore(present));
    for (;;) {
      await restUntil(this.#lookedAt + serverLimits.lookIntervalMs, this.#signal);
      if (this.#signal.aborted) return null;
      this.#changed = false;
      this.#lookedAt = monotonicMs();
      const task = await this.#look();
      if (task === null || (task !== 'unavailable' && !isSameTask(task, present))) throw taskNotFound(this.#id);
      if (task !== 'unavailable') return task;
      await this.#untilChanged(Date.now() + retryMs);
    }
  }

  async #look(): Promise<TaskSnapshot | null | 'unavailable'> {
    try {
      return await this.#store.read(this.#id);
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'unavailable') return 'unavailable'; // no session at the moment
      throw error;
    }
  }

  close(): void {
    this.#stopListening();
    this.#wake();
  }

  #untilChanged(dueAt: number): Promise<void> {
    return new Promise((resolve) => {
      const dueMs = dueAt - Date.now();
      const timer = dueMs > 0 ? setTimeout(() => this.#wake(), Math.min(dueMs, timerMsMax)) : undefined;
      const onAbort = () => this.#wake();
      this.#signal.addEventListener('abort', onAbort);
      this.#wake = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', onAbort);
        resolve();
      };
      if (this.#changed || this.#signal.aborted) this.#wake();
    });
  }
}
