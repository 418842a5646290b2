// A Task in the protobuf of the gRPC face: the same fields as in JSON, unset where they have no value.

import { ServiceError } from '../../domain/errors.ts';
import type { Json, TaskError } from '../../domain/task.ts';
import type { AttemptView, TaskView } from '../../domain/task-view.ts';
import { isDeeperThan, wellFormed } from '../api/storable-json.ts';
import { type ProtoTime, timestampOf } from './proto-time.ts';
import { type ProtoValue, valueOfJson } from './proto-value.ts';

/**
 * Deepest JSON that every protobuf reader takes: most stop at 100 messages inside each other, an object is three (Value,
 * Struct, map entry), and the answer and its Task are two.
 */
export const protoJsonDepthMax = 32;

/** Ready for the serializer; null and missing are both unset there. */
export function taskMessage(task: TaskView): object {
  return {
    id: task.id,
    type: task.type,
    queue: task.queue,
    state: `TASK_STATE_${task.state.toUpperCase()}`,
    payload: valueOrUnset(task.payload, 'payload'),
    priority: task.priority,
    labels: task.labels,
    attempt: task.attempt,
    max_attempts: task.maxAttempts,
    worker: task.worker,
    progress: task.progress && { ...task.progress, message: textOrUnset(task.progress.message) },
    submitted_at: timestampOf(task.submittedAt),
    run_at: timeOrUnset(task.runAt),
    started_at: timeOrUnset(task.startedAt),
    finished_at: timeOrUnset(task.finishedAt),
    result: valueOrUnset(task.result, 'result'),
    error: errorMessage(task.error),
    attempts: task.attempts.map(attemptMessage),
    retry_of: task.retryOf,
  };
}

function attemptMessage(attempt: AttemptView): object {
  return {
    attempt: attempt.attempt,
    worker: attempt.worker,
    outcome: `ATTEMPT_OUTCOME_${attempt.outcome.toUpperCase()}`,
    error: errorMessage(attempt.error),
    started_at: timeOrUnset(attempt.startedAt),
    finished_at: timestampOf(attempt.finishedAt),
  };
}

function valueOrUnset(json: Json, field: string): ProtoValue | null {
  if (json === null) return null;
  if (isDeeperThan(json, protoJsonDepthMax)) {
    throw new ServiceError('internal-error', `The ${field} is nested too deeply for gRPC; HTTP can answer this task.`);
  }
  return valueOfJson(json);
}

function errorMessage(error: TaskError | null): object | null {
  return error && { code: error.code, message: wellFormed(error.message) };
}

function textOrUnset(text: string | null): string | null {
  return text === null ? null : wellFormed(text);
}

function timeOrUnset(epochMs: number | null): ProtoTime | null {
  return epochMs === null ? null : timestampOf(epochMs);
}
