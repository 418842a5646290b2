// Why a task is not running: the words of the answer, the same for whoever gives it. A reason is a stable code; its message is
// one sentence for people, with names, numbers and, where somebody can do something, the next step. Pure.

import type { TaskId, TaskState } from './task.ts';

/** In the order in which they are asked after, as far as several can hold at once: the first is the decisive one. */
export const explainReasons = [
  'succeeded',
  'failed',
  'cancelled',
  'no_master',
  'unreadable',
  'not_seen_yet',
  'newer_version',
  'worker_lost',
  'withdrawing',
  'running',
  'about_to_run',
  'set_aside',
  'being_ended',
  'cancel_requested',
  'waits_for_tasks',
  'backing_off',
  'delayed',
  'waits_for_key',
  'queue_paused',
  'queue_concurrency',
  'queue_rate',
  'no_workers',
  'no_worker_for_type',
  'no_worker_for_queue',
  'workers_draining',
  'workers_not_ready',
  'workers_busy',
  'behind_others',
  'master_unreachable',
] as const;
export type ExplainReason = (typeof explainReasons)[number];

/** One thing that says why the task is where it is. What does not apply is null, or empty. */
export interface Cause {
  readonly reason: ExplainReason;
  readonly message: string;
  /** Since when the task runs, waits or is final, or since when there is no master or none answers; epoch ms. */
  readonly since: number | null;
  /** When this ends by itself, if not before, by its deadline say; of a rate, when the next task of the queue may start; epoch ms. */
  readonly until: number | null;
  /** The one that runs it, ran it last, or is about to. */
  readonly worker: string | null;
  /** Those that it waits for, and retries of them. */
  readonly tasks: readonly TaskId[];
  /** Workers that it could be given to, if they had a free slot. */
  readonly workers: number | null;
  /** What is reached: of the queue, or the slots of those workers. */
  readonly limit: number | null;
  /** Tasks of its queue and type that go first; of a key, those before it in line. */
  readonly position: number | null;
}

/** What a master says. */
export interface TaskExplanation extends Cause {
  readonly id: TaskId;
  /** Null: it is not known, to a master for a moment, or since what tells it cannot be read. */
  readonly state: TaskState | null;
  readonly type: string | null;
  readonly queue: string | null;
  /** What else would hold it if the first did not. */
  readonly also: readonly Pick<Cause, 'reason' | 'message'>[];
}

/** What a client is told. */
export interface Explanation extends TaskExplanation {
  /** `host:port` of the leading master, where it is ours. */
  readonly leader: string | null;
}

const nothing = {
  ...{ since: null, until: null, worker: null, tasks: [], workers: null, limit: null, position: null },
} as const;

export function cause(
  reason: ExplainReason,
  message: string,
  fields: Partial<Omit<Cause, 'reason' | 'message'>> = {},
): Cause {
  return { reason, message, ...nothing, ...fields };
}

/** The first of the causes decides. */
export function explanationOf(
  task: Pick<TaskExplanation, 'id' | 'state' | 'type' | 'queue'>,
  [first, ...others]: readonly [Cause, ...Cause[]],
): TaskExplanation {
  return { ...task, ...first, also: others.map(({ reason, message }) => ({ reason, message })) };
}

/** A time as messages have it. */
export { timestampText as timeText } from './timestamp.ts';

/** `1 task`, `2 tasks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The first few of them, and how many more there are. */
export function named(names: readonly string[], max = 5): string {
  const shown = names.slice(0, max).join(', ');
  return names.length > max ? `${shown} and ${names.length - max} more` : shown;
}
