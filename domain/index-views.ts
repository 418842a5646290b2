// The leading master's answers (master-index.ts), computed from its index at one moment. Nothing here walks over more tasks
// than limits.listScanMax. Pure.

import { stateOf, workerOf } from './entry-state.ts';
import { recordOf } from './free-workers.ts';
import { limits } from './limits.ts';
import {
  formatPosition,
  type IndexedTasks,
  type ListPosition,
  type QueueView,
  type StatsView,
  type TaskFilter,
  type WorkerView,
} from './master-index.ts';
import { briefOf, type TaskEntry } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';

/** Tasks that fit `filter` and are older than `after`, newest first, at most `limit` (from 1). */
export function listTasks(
  index: TaskIndex,
  filter: TaskFilter,
  limit: number,
  after: ListPosition | null,
  now: number,
  scanMax: number = limits.listScanMax,
): IndexedTasks {
  const tasks: IndexedTasks['tasks'][number][] = [];
  let scanned = 0;
  let last: ListPosition | null = null;
  for (const entry of index.order.newestFirst(after)) {
    if (!entry.position) continue;
    if (tasks.length === limit || scanned === scanMax) {
      return { tasks, next: last && formatPosition(last) };
    }
    scanned += 1;
    last = entry.position;
    if (mayFit(entry, filter, now)) tasks.push({ id: entry.id, position: formatPosition(last) });
  }
  return { tasks, next: null };
}

/** What is not known at the moment may fit: the gateway reads each task and looks once more. */
function mayFit(entry: TaskEntry, filter: TaskFilter, now: number): boolean {
  const brief = briefOf(entry);
  if (filter.type !== null && brief?.type !== filter.type) return false;
  if (filter.queue !== null && brief?.queue !== filter.queue) return false;
  if (filter.schedule !== null && brief?.schedule?.name !== filter.schedule) return false;
  if (filter.state !== null && (stateOf(entry, now) ?? filter.state) !== filter.state) return false;
  if (filter.worker !== null && entry.status !== 'unread' && workerOf(entry) !== filter.worker) return false;
  const labels = brief?.labels ?? {};
  return filter.labels.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

export function workersView(index: TaskIndex): WorkerView[] {
  const views: WorkerView[] = [];
  for (const worker of index.workers.values()) {
    const { id, tasks } = worker;
    const record = recordOf(worker);
    if (!record) continue;
    const { address, concurrency, types, queues, draining } = record;
    views.push({ id, address, concurrency, types, queues, running: tasks.size, draining });
  }
  return views.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export function queuesView({ queues, states }: TaskIndex, max: number = limits.queuesListedMax): QueueView[] {
  const names = new Set<string>();
  for (const name of queues.names()) if (names.size < max) names.add(name);
  for (const [name, { scheduled, queued, running }] of states.counts.queues) {
    if (names.size < max && scheduled + queued + running > 0) names.add(name);
  }
  return [...names].sort().map((name) => {
    const { scheduled = 0, queued = 0, running = 0 } = states.counts.queues.get(name) ?? {};
    return { name, ...queues.settingsOf(name), scheduled, queued, running };
  });
}

/** `leader` is the address of this master. */
export function statsView(index: TaskIndex, leader: string, now: number): StatsView {
  const { counts, queuedSince } = index.states;
  const workers = [...index.workers.values()].filter((worker) => recordOf(worker) !== null);
  return {
    leader,
    workers: workers.length,
    slots: slotsView(index),
    tasks: { ...counts.states },
    oldestQueuedMs: queuedSince === null ? null : Math.max(0, now - queuedSince),
  };
}

/** Of workers that are registered; one that drains has none free, nor has one with more assignments than slots. */
export function slotsView(index: TaskIndex): StatsView['slots'] {
  let total = 0;
  let free = 0;
  for (const worker of index.workers.values()) {
    const record = recordOf(worker);
    if (!record) continue;
    total += record.concurrency;
    if (!record.draining) free += Math.max(0, record.concurrency - worker.tasks.size);
  }
  return { total, free };
}
