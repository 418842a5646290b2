// Whether a task belongs into a list. Pure.

import type { TaskFilter } from './master-index.ts';
import type { TaskView } from './task-view.ts';

export function fitsFilter(task: TaskView, filter: TaskFilter): boolean {
  if (filter.state !== null && task.state !== filter.state) return false;
  if (filter.type !== null && task.type !== filter.type) return false;
  if (filter.queue !== null && task.queue !== filter.queue) return false;
  if (filter.worker !== null && task.worker !== filter.worker) return false;
  if (filter.schedule !== null && task.schedule?.name !== filter.schedule) return false;
  return filter.labels.every(([key, value]) => Object.hasOwn(task.labels, key) && task.labels[key] === value);
}
