// A request that waits for a task: looks at it again whenever that is worthwhile.

import { ServiceError } from '../../domain/errors.ts';
import type { TaskId } from '../../domain/task.ts';
import { isSameTask, type TaskSnapshot } from '../../domain/task-view.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import { serverLimits } from '../server-limits.ts';
import { restUntil } from './rest.ts';
import type { TaskStore } from './task-store.ts';
import type { Wait } from './waits.ts';

/** What one look at a task brought; a null snapshot is no such task. */
export type Look = { readonly snapshot: TaskSnapshot | null } | { readonly failure: unknown };

/**
 * Looks for its end whenever the store says that it is worthwhile, until the task is final or the wait has ended; the last
 * look is at everything and after the end, so that the answer is the present state. Null: no such task, any more. A store that cannot
 * answer has the rest of the wait to come back, since a reconnect mostly takes less; then its failure is thrown.
 */
export async function followTask(
  store: TaskStore,
  id: TaskId,
  first: Look,
  wait: Wait,
  caller: AbortSignal,
): Promise<TaskSnapshot | null> {
  let look = first;
  while (!wait.signal.aborted && !isSettled(look)) {
    const askedAt = monotonicMs();
    await store.changed(id, wait.signal);
    if (wait.signal.aborted) break;
    look = await lookForEnd(store, id);
    if (isOtherThan(look, first)) return null;
    if (!isSettled(look)) await restUntil(askedAt + serverLimits.lookIntervalMs, wait.signal);
  }
  if (!isSettled(look) && !caller.aborted) look = await looking(store.read(id));
  if (isOtherThan(look, first)) return null;
  if ('failure' in look) throw look.failure;
  return look.snapshot;
}

export function lookForEnd(store: TaskStore, id: TaskId): Promise<Look> {
  return looking(store.readEnd(id));
}

async function looking(read: Promise<TaskSnapshot | null>): Promise<Look> {
  try {
    return { snapshot: await read };
  } catch (error) {
    if (isUnavailable(error)) return { failure: error };
    throw error;
  }
}

/** True when no later look can bring anything else. */
export function isSettled(look: Look): look is { readonly snapshot: TaskSnapshot | null } {
  return 'snapshot' in look && look.snapshot?.status !== null;
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof ServiceError && error.reason === 'coordination-unavailable';
}

function isOtherThan(look: Look, first: Look): boolean {
  const [now, before] = [look, first].map((each) => ('snapshot' in each ? each.snapshot : null));
  return Boolean(now && before && !isSameTask(now, before));
}
