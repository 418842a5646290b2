// Every path of the tree (contract section 1), and how a path reads. Pure; no other file spells a path.

import { limits } from '../domain/limits.ts';
import type { TaskId, WorkerId } from '../domain/task.ts';
import { parseTaskId } from '../domain/task-id.ts';

export const paths = {
  master: '/master',
  epoch: '/epoch',
  workers: '/workers',
  assign: '/assign',
  tasks: '/tasks',
  backlog: '/backlog',
  idempotency: '/idempotency',
  queues: '/queues',
  schedules: '/schedules',
  worker: (worker: WorkerId) => `/workers/${worker}`,
  assignments: (worker: WorkerId) => `/assign/${worker}`,
  assignment: (worker: WorkerId, task: TaskId) => `/assign/${worker}/${task}`,
  /** What a sequential create appends its number to. */
  taskPrefix: '/tasks/task-',
  task: (task: TaskId) => `/tasks/${task}`,
  status: (task: TaskId) => `/tasks/${task}/status`,
  attempt: (task: TaskId, attempt: number) => `/tasks/${task}/attempt-${attempt}`,
  cancel: (task: TaskId) => `/tasks/${task}/cancel`,
  unblocked: (task: TaskId) => `/tasks/${task}/unblocked`,
  queue: (name: string) => `/queues/${name}`,
  schedule: (name: string) => `/schedules/${name}`,
  ticks: (schedule: string) => `/schedules/${schedule}/ticks`,
} as const;

/** The parents that every process makes at its start. `/master` is the election's, `/backlog` the leading master's. */
export const parentPaths: readonly string[] = [
  paths.epoch,
  paths.workers,
  paths.assign,
  paths.tasks,
  paths.idempotency,
  paths.queues,
  paths.schedules,
];

const tasksBelow = `${paths.tasks}/`;
const assignBelow = `${paths.assign}/`;
const attemptName = /^attempt-([1-9]\d{0,8})$/;
const validName = new RegExp(limits.namePattern);

/** What a path under `/tasks` is about. */
export type TaskPath =
  | { readonly kind: 'task' | 'status' | 'cancel' | 'unblocked'; readonly task: TaskId }
  | { readonly kind: 'attempt'; readonly task: TaskId; readonly attempt: number };

/** Asked with each event of each mirror, so neither this nor the next one takes a path to pieces that nobody needs. */
export function parseTaskPath(path: string): TaskPath | null {
  if (!path.startsWith(tasksBelow)) return null;
  const end = path.indexOf('/', tasksBelow.length);
  const task = parseTaskId(path.slice(tasksBelow.length, end < 0 ? undefined : end));
  if (!task) return null;
  if (end < 0) return { kind: 'task', task };
  const child = path.slice(end + 1);
  if (child === 'status' || child === 'cancel' || child === 'unblocked') return { kind: child, task };
  const attempt = parseAttemptName(child);
  return attempt === null ? null : { kind: 'attempt', task, attempt };
}

/** The number of `attempt-<k>`, or null for another name. */
export function parseAttemptName(name: string): number | null {
  const match = attemptName.exec(name);
  return match ? Number(match[1]) : null;
}

/** `/assign/<worker>/<task>`, or `/assign/<worker>` with task null; null for anything else. */
export function parseAssignPath(path: string): { worker: WorkerId; task: TaskId | null } | null {
  if (!path.startsWith(assignBelow)) return null;
  const end = path.indexOf('/', assignBelow.length);
  const worker = path.slice(assignBelow.length, end < 0 ? undefined : end) as WorkerId;
  if (!worker) return null;
  if (end < 0) return { worker, task: null };
  const task = parseTaskId(path.slice(end + 1));
  return task && { worker, task };
}

export function parseWorkerPath(path: string): WorkerId | null {
  const [, root, worker, tooDeep] = path.split('/');
  return root === 'workers' && worker && tooDeep === undefined ? (worker as WorkerId) : null;
}

/** The name of a queue, or null: a znode whose name no queue can have says nothing about any. */
export function parseQueuePath(path: string): string | null {
  const [, root, queue, tooDeep] = path.split('/');
  return root === 'queues' && queue && tooDeep === undefined && validName.test(queue) ? queue : null;
}

/** The name of a schedule and whether its ticks are meant; null for a name that no schedule can have, and for what is below. */
export function parseSchedulePath(path: string): { schedule: string; isTicks: boolean } | null {
  const [, root, schedule, child, tooDeep] = path.split('/');
  if (root !== 'schedules' || !schedule || !validName.test(schedule) || tooDeep !== undefined) return null;
  return child === undefined || child === 'ticks' ? { schedule, isTicks: child === 'ticks' } : null;
}
