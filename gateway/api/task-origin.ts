// Where tasks come from: the record of a new one, whether submitted or run again, and the task as it is at its birth; and the
// refusals of what only a final task, or only one that is not, can be asked for.

import { createHash, randomUUID } from 'node:crypto';
import { ServiceError } from '../../domain/errors.ts';
import type { TaskId, TaskRecord, TaskSpec } from '../../domain/task.ts';
import { dependenciesOf } from '../../domain/task-id.ts';
import { type TaskSnapshot, type TaskView, wasLetGo } from '../../domain/task-view.ts';
import { canonicalJson } from './storable-json.ts';

type Origin = Partial<Pick<TaskRecord, 'submitId' | 'idempotencyKey' | 'retryOf' | 'batch' | 'schedule'>>;

/** Member by member: the sum of two spread objects is one that V8 is slow with, here and wherever the record goes. */
export function recordOf(spec: TaskSpec, origin: Origin): TaskRecord {
  return {
    type: spec.type,
    payload: spec.payload,
    queue: spec.queue,
    priority: spec.priority,
    runAt: spec.runAt,
    timeoutMs: spec.timeoutMs,
    maxAttempts: spec.maxAttempts,
    backoff: spec.backoff,
    labels: spec.labels,
    retentionMs: spec.retentionMs,
    deadlineMs: spec.deadlineMs,
    exclusiveKey: spec.exclusiveKey,
    after: spec.after,
    afterFailure: spec.afterFailure,
    submittedAt: Date.now(),
    submitId: origin.submitId ?? randomUUID(),
    idempotencyKey: origin.idempotencyKey ?? null,
    retryOf: origin.retryOf ?? null,
    batch: origin.batch ?? null,
    schedule: origin.schedule ?? null,
  };
}

/**
 * Of a failed or cancelled task what a new one takes over: everything but when it was to run, and after which others if those had
 * let it go; what they come to now is nothing to it. One that was never let go keeps its place: it waits for them, or for their retries.
 */
export function retryableSpec(old: TaskSnapshot): TaskSpec {
  const { id, record, status } = old;
  if (!status) throw notFinal(id, 'only a failed or cancelled task can be retried');
  if (status.state === 'succeeded') {
    throw new ServiceError('task-not-retryable', `Task ${id} has succeeded; submit a new task to run it again.`);
  }
  if (!record) throw new ServiceError('task-not-retryable', `What task ${id} was to do cannot be read.`);
  const { submitId, submittedAt, idempotencyKey, retryOf, batch, schedule, ...spec } = record;
  if (wasLetGo(old)) return { ...spec, runAt: null, after: [], afterFailure: 'fail' };
  const afterFailure = spec.afterFailure === 'run' ? 'run' : 'wait';
  return { ...spec, runAt: null, after: dependenciesOf(id, record), afterFailure };
}

/** What has to be equal for two requests with one idempotency key to be the same one. */
export function fingerprintOf(request: { readonly retryOf: TaskId } | { readonly runOf: string }): string {
  return createHash('sha256').update(canonicalJson(request)).digest('base64url');
}

export function notFinal(id: TaskId, next: string): ServiceError {
  return new ServiceError('task-not-final', `Task ${id} is not final: ${next}.`);
}

export function requireNotFinal({ id, state, finishedAt }: TaskView): void {
  if (finishedAt !== null)
    throw new ServiceError('task-already-final', `Task ${id} is final already: it ${wordOf(state)}.`);
}

function wordOf(state: TaskView['state']): string {
  return state === 'cancelled' ? 'was cancelled' : `has ${state}`;
}

/** The task as it is at the moment of its commit, known without a read. */
export function newborn(id: TaskId, record: TaskRecord | null, createdAt: number): TaskSnapshot {
  const none = { unblockedAt: null, cancelRequested: false, status: null, attempts: [], assignment: null };
  return { id, record, createdAt, ...none };
}
