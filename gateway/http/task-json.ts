// A Task in the JSON of the HTTP face: every field always there, null where it has no value, times as RFC 3339 in UTC
// with milliseconds.

import type { AttemptView, TaskView } from '../../domain/task-view.ts';
import { formatRfc3339 } from '../api/rfc3339.ts';

/** Ready for JSON.stringify; shape: the component Task of the OpenAPI document. */
export function taskJson(task: TaskView): Record<string, unknown> {
  return {
    id: task.id,
    type: task.type,
    queue: task.queue,
    state: task.state,
    payload: task.payload,
    priority: task.priority,
    labels: task.labels,
    attempt: task.attempt,
    maxAttempts: task.maxAttempts,
    worker: task.worker,
    progress: task.progress && { percent: task.progress.percent, message: task.progress.message },
    submittedAt: formatRfc3339(task.submittedAt),
    runAt: timeOrNull(task.runAt),
    nextAttemptAt: timeOrNull(task.nextAttemptAt),
    startedAt: timeOrNull(task.startedAt),
    finishedAt: timeOrNull(task.finishedAt),
    result: task.result,
    error: task.error && { code: task.error.code, message: task.error.message },
    attempts: task.attempts.map(attemptJson),
    retryOf: task.retryOf,
    deadlineAt: timeOrNull(task.deadlineAt),
    exclusiveKey: task.exclusiveKey,
    after: task.after,
    afterFailure: task.afterFailure,
    schedule: task.schedule && { name: task.schedule.name, at: timeOrNull(task.schedule.at) },
  };
}

function attemptJson(attempt: AttemptView): Record<string, unknown> {
  return {
    attempt: attempt.attempt,
    worker: attempt.worker,
    outcome: attempt.outcome,
    error: attempt.error && { code: attempt.error.code, message: attempt.error.message },
    startedAt: timeOrNull(attempt.startedAt),
    finishedAt: formatRfc3339(attempt.finishedAt),
  };
}

function timeOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : formatRfc3339(epochMs);
}
