// What the leading master answers to gateways from its index, over its admin endpoint: the words of that small protocol,
// spoken by both sides. Its version is in the paths, so that gateways and masters of different age do not misread each
// other. Times are epoch milliseconds, everything is JSON. Whoever does not lead right now answers 503. Pure.

import type { QueueSettings } from './queue-settings.ts';
import type { TaskId, TaskState, WorkerId } from './task.ts';

export const indexPaths = {
  tasks: '/index/v1/tasks',
  workers: '/index/v1/workers',
  queues: '/index/v1/queues',
  stats: '/index/v1/stats',
  events: '/index/v1/events',
  /** Asked with `task=<id>`, answered with a TaskExplanation (explanation.ts), of whose reasons the reader need not know all. */
  explain: '/index/v1/explain',
} as const;

/** Which tasks a list has: those that fit everything that is not null. */
export interface TaskFilter {
  readonly state: TaskState | null;
  readonly type: string | null;
  readonly queue: string | null;
  /** The worker that runs the task, or that ended it. */
  readonly worker: string | null;
  /** The schedule that made the task, at a tick or by hand. */
  readonly schedule: string | null;
  /** All of them must match. */
  readonly labels: readonly (readonly [key: string, value: string])[];
}

/**
 * A place in the order of creation: the transaction and the number within it. The same for every master, and it stays what it
 * is while tasks come and go.
 */
export interface ListPosition {
  readonly czxid: bigint;
  readonly number: number;
}

export function formatPosition({ czxid, number }: ListPosition): string {
  return `${czxid.toString(16)}-${number}`;
}

/** Null for a text that is no position. */
export function parsePosition(text: string): ListPosition | null {
  const match = /^([0-9a-f]{1,16})-(\d{1,15})$/.exec(text);
  return match ? { czxid: BigInt(`0x${match[1]}`), number: Number(match[2]) } : null;
}

/** Answer of `tasks`, asked with the members of the filter, `label=key:value` for each label, `limit`, and `after`. */
export interface IndexedTasks {
  /** Newest first, older than `after`; each with its place, at which a list can go on. */
  readonly tasks: readonly { readonly id: TaskId; readonly position: string }[];
  /**
   * Where the next page begins; null: there is no older task at all. A page may be short or empty and still have a next one: a
   * master looks at so many tasks for one request and no more.
   */
  readonly next: string | null;
}

/** Answer of `workers`: an array of these, by id. */
export interface WorkerView {
  readonly id: WorkerId;
  readonly address: string;
  readonly concurrency: number;
  /** Null: every type. */
  readonly types: readonly string[] | null;
  /** Null: every queue. */
  readonly queues: readonly string[] | null;
  /** Assignments that it holds. */
  readonly running: number;
  readonly draining: boolean;
}

/** Answer of `queues`: an array of these, by name: queues that have tasks which are not final, or settings. */
export interface QueueView extends QueueSettings {
  readonly name: string;
  readonly scheduled: number;
  readonly queued: number;
  readonly running: number;
}

/** Answer of `stats`. */
export interface StatsView {
  /** `host:port` of the leading master's admin endpoint. */
  readonly leader: string;
  readonly workers: number;
  /** Of workers that are registered; those that drain have none free. */
  readonly slots: { readonly total: number; readonly free: number };
  /** Of the tasks kept now. */
  readonly tasks: Readonly<Record<TaskState, number>>;
  /** How long the task that has been queued longest waits; null where none is queued. */
  readonly oldestQueuedMs: number | null;
}

/** A task changed its state. */
export interface TaskEvent {
  readonly id: TaskId;
  readonly type: string | null;
  readonly queue: string | null;
  readonly state: TaskState;
  readonly attempt: number;
  readonly worker: string | null;
  /** When, as the record of the change says. */
  readonly at: number;
}

/**
 * Lines of the answer of `events`, asked with `after` (the id of the last event that is known) or without. `start` comes first:
 * `resumed` is false where events may be missing between `after` and what follows. `alive` comes every few seconds when
 * nothing else does.
 */
export type EventLine =
  | { readonly kind: 'start'; readonly resumed: boolean }
  | { readonly kind: 'event'; readonly eventId: string; readonly event: TaskEvent }
  | { readonly kind: 'alive' };
