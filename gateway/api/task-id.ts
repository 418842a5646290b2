// Which texts can be the id of a task. Everything else names no task, and never becomes part of a path in the ensemble:
// `..`, slashes and control characters end here.

import { ServiceError } from '../../domain/errors.ts';
import type { TaskId } from '../../domain/task.ts';
import { parseTaskId as idOf } from '../../domain/task-id.ts';

/** Throws 'task-not-found' for a text that can be no task's id. */
export function parseTaskId(text: string): TaskId {
  const id = idOf(text);
  if (!id) throw taskNotFound(text);
  return id;
}

export function taskNotFound(id: string): ServiceError {
  const shown = id.length > 64 ? `${id.slice(0, 64)}...` : id;
  return new ServiceError('task-not-found', `There is no task ${JSON.stringify(shown)}.`);
}
