// A task as the tree has it, to which the events of its life happen one by one: what they leave is put where masters and
// workers put it. For tests of the machine.

import type { TaskRecord, TaskState, WithdrawReason, WorkerId } from '../../../domain/task.ts';
import { type EndEvent, recordsOf } from '../../../domain/task-machine.ts';
import type { LifeEvent, Transition } from '../../../domain/task-transitions.ts';
import type { TaskSnapshot } from '../../../domain/task-view.ts';
import { deadlineOf, notBefore, taskStateAt } from '../../../domain/task-view.ts';
import { brief, taskId } from './facts.ts';

export const worker = 'w' as WorkerId;
export const submittedAt = 1000;

/** Something that happens: `pauseMs` passed since what happened before. */
export type Happening = { readonly pauseMs: number; readonly random: number } & (
  | { readonly kind: 'due' | 'unblocked' | 'assigned' | 'handed_back' }
  | { readonly kind: 'withdrawn'; readonly reason: WithdrawReason }
  | EndEvent
);

/** Null: data that is no task of ours. */
export function newTask(options: Partial<TaskRecord> | null): TaskSnapshot {
  const origin = { payload: null, submitId: null, submittedAt, deadlineMs: null };
  const record = options && ({ ...brief(), ...origin, ...options } as TaskRecord);
  return {
    ...{ id: taskId(1), record, createdAt: submittedAt },
    ...{ unblockedAt: null, cancelRequested: false, status: null, attempts: [], assignment: null },
  };
}

export class Life {
  now = submittedAt;
  /** What happened, as rows of the table would have it. */
  readonly steps: Pick<Transition, 'from' | 'event' | 'to' | 'leaves'>[] = [];

  constructor(public task: TaskSnapshot) {
    this.#note(null, 'submitted', ['task']);
  }

  get state(): TaskState {
    return taskStateAt(this.task, this.now);
  }

  /** False: it cannot happen to the task as it is. */
  happen(what: Happening): boolean {
    const from = this.state;
    if (!this.#isPossible(what.kind, from)) return false;
    const { task } = this;
    // Its time is an event of its own.
    const due = notBefore(task);
    const passed = this.now + what.pauseMs;
    this.now = what.kind === 'due' ? due : from === 'scheduled' ? Math.min(passed, due - 1) : passed;
    this.task = this.#after(what);
    this.#note(from as Transition['from'], what.kind, tracesOf(task, this.task));
    return true;
  }

  #isPossible(kind: LifeEvent, state: TaskState): boolean {
    const isBlocked = notBefore(this.task) === Infinity;
    switch (kind) {
      case 'submitted':
        return false;
      case 'due':
        return state === 'scheduled' && !isBlocked;
      case 'unblocked':
      case 'dependency_failed':
        return state === 'scheduled' && isBlocked;
      case 'assigned':
        return state === 'scheduled' || state === 'queued';
      case 'invalid_task':
        return this.task.record === null && (state === 'queued' || state === 'running');
      case 'cancelled':
      case 'expired':
        return this.task.record !== null && this.task.status === null;
      default:
        return state === 'running' && this.task.record !== null;
    }
  }

  #after(what: Happening): TaskSnapshot {
    const { task, now } = this;
    const { assignment } = task;
    switch (what.kind) {
      case 'due':
        return task;
      case 'unblocked':
        return { ...task, unblockedAt: now };
      case 'assigned': {
        const record = { attempt: task.attempts.length + 1, startedAt: now, withdraw: null, progress: null };
        return { ...task, assignment: { worker, record } };
      }
      case 'withdrawn':
        return assignment
          ? { ...task, assignment: { worker, record: { ...assignment.record, withdraw: what.reason } } }
          : task;
      case 'handed_back':
        return { ...task, assignment: null };
      default:
        return this.#ended(what);
    }
  }

  #ended(event: EndEvent & { readonly random: number }): TaskSnapshot {
    const { task, now } = this;
    const { assignment, record } = task;
    const run = assignment ? { worker, startedAt: assignment.record.startedAt } : { worker: null, startedAt: null };
    const at = { ...run, attempt: task.attempts.length + (assignment ? 1 : 0), finishedAt: now };
    const terms = record && { ...record, deadlineAt: deadlineOf(record) };
    const { status, attempt } = recordsOf(event, at, terms, event.random);
    return { ...task, status, attempts: attempt ? [...task.attempts, attempt] : task.attempts, assignment: null };
  }

  #note(from: Transition['from'], event: LifeEvent, leaves: Transition['leaves']): void {
    this.steps.push({ from, event, to: this.state, leaves });
  }
}

function tracesOf(before: TaskSnapshot, after: TaskSnapshot): Transition['leaves'] {
  const traces: Transition['leaves'][number][] = [];
  if (after.unblockedAt !== before.unblockedAt) traces.push('unblocked');
  if (!before.assignment && after.assignment) traces.push('assignment');
  if (before.assignment && after.assignment) traces.push('mark');
  if (after.attempts.length > before.attempts.length) traces.push('attempt');
  if (after.status) traces.push('status');
  return traces;
}
