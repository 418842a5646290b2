// The life of a task, as a table: which event leads from which state into which, who makes it happen, and what it leaves in the
// tree. docs/task-life.md is generated from it; a test proves that task-machine.ts and task-view.ts agree with it. A row is
// there for whatever our processes do; the assignments that a person makes before their time are said to be by hand.

import type { FinalState, TaskState } from './task.ts';

export const lifeEvents = [
  'submitted',
  'due',
  'unblocked',
  'assigned',
  'withdrawn',
  'handed_back',
  'succeeded',
  'failed',
  'timed_out',
  'worker_lost',
  'cancelled',
  'expired',
  'dependency_failed',
  'invalid_task',
] as const;
export type LifeEvent = (typeof lifeEvents)[number];

/** What an event creates below the task, or as its assignment; `mark` is that of a withdrawal on the assignment. */
type Trace = 'task' | 'unblocked' | 'assignment' | 'mark' | 'attempt' | 'status';
type Actor = 'gateway' | 'time' | 'master' | 'worker' | 'by hand';

export interface Transition {
  /** Null: there is no such task yet. */
  readonly from: Exclude<TaskState, FinalState> | null;
  readonly event: LifeEvent;
  readonly to: TaskState;
  readonly by: readonly Actor[];
  /** Whenever a task stops running its assignment is removed in the same transaction. */
  readonly leaves: readonly Trace[];
  readonly when: string;
}

/** The master makes those of schedules. */
const submitters = ['gateway', 'master', 'by hand'] as const;

export const transitions: readonly Transition[] = [
  row(null, 'submitted', 'queued', submitters, ['task'], 'it may run at once'),
  row(null, 'submitted', 'scheduled', submitters, ['task'], 'its time is to come, or it comes after other tasks'),
  row('scheduled', 'due', 'queued', ['time'], [], 'its own time, or that of its next attempt, has come'),
  row('scheduled', 'unblocked', 'queued', ['master'], ['unblocked'], 'the tasks that it comes after have let it go'),
  row('scheduled', 'unblocked', 'scheduled', ['master'], ['unblocked'], 'the same, and its own time is still to come'),
  row('queued', 'assigned', 'running', ['master'], ['assignment'], 'a worker that takes it has a free slot'),
  row('scheduled', 'assigned', 'running', ['by hand'], ['assignment'], 'a person does not wait for its time'),
  row('running', 'withdrawn', 'running', ['master'], ['mark'], 'it was cancelled, or has run out of time'),
  row('running', 'handed_back', 'queued', ['worker'], [], 'the worker stops: the attempt does not count'),
  row('running', 'handed_back', 'scheduled', ['by hand'], [], 'the same, of one that was assigned before its time'),
  row('running', 'succeeded', 'succeeded', ['worker'], ['status'], 'the handler has a result'),
  row('running', 'failed', 'scheduled', ['worker'], ['attempt'], 'another attempt is due after a pause'),
  row('running', 'failed', 'queued', ['worker'], ['attempt'], 'another attempt is due at once'),
  row('running', 'failed', 'failed', ['worker'], ['attempt', 'status'], 'there is no other attempt'),
  row('running', 'timed_out', 'scheduled', ['worker', 'master'], ['attempt'], 'another attempt is due after a pause'),
  row('running', 'timed_out', 'queued', ['worker', 'master'], ['attempt'], 'another attempt is due at once'),
  row('running', 'timed_out', 'failed', ['worker', 'master'], ['attempt', 'status'], 'there is no other attempt'),
  row('running', 'worker_lost', 'queued', ['master'], ['attempt'], 'another attempt is due at once'),
  row('running', 'worker_lost', 'failed', ['master'], ['attempt', 'status'], 'there is no other attempt'),
  row('running', 'worker_lost', 'cancelled', ['master'], ['attempt', 'status'], 'it was to be cancelled'),
  row('scheduled', 'cancelled', 'cancelled', ['master'], ['status'], 'somebody asked for it'),
  row('queued', 'cancelled', 'cancelled', ['master'], ['status'], 'somebody asked for it'),
  row(
    'running',
    'cancelled',
    'cancelled',
    ['worker', 'master'],
    ['status'],
    'it was withdrawn; after a grace by force',
  ),
  row('scheduled', 'expired', 'failed', ['master'], ['status'], 'its deadline has passed'),
  row('queued', 'expired', 'failed', ['master'], ['status'], 'its deadline has passed'),
  row('running', 'expired', 'failed', ['worker', 'master'], ['attempt', 'status'], 'the same; after a grace by force'),
  row('scheduled', 'dependency_failed', 'failed', ['master'], ['status'], 'a task that it comes after did not succeed'),
  row('queued', 'invalid_task', 'failed', ['master'], ['status'], 'its data is no task of ours'),
  row('running', 'invalid_task', 'failed', ['worker', 'master'], ['status'], 'it was assigned by hand, and is no task'),
];

function row(
  from: Transition['from'],
  event: LifeEvent,
  to: TaskState,
  by: readonly Actor[],
  leaves: readonly Trace[],
  when: string,
): Transition {
  return { from, event, to, by, leaves, when };
}
