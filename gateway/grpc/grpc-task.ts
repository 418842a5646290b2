// A Task in the protobuf of the gRPC face: the same fields as in JSON, unset where they have no value. What does not go into
// protobuf, or not into an answer, is left out by name, so that one odd task never makes a whole answer fail.

import type { Json, TaskError } from '../../domain/task.ts';
import type { AttemptView, TaskView } from '../../domain/task-view.ts';
import { wellFormed } from '../../domain/well-formed.ts';
import { isDeeperThan } from '../api/storable-json.ts';
import { type ProtoTime, timestampOf } from './proto-time.ts';
import { type ProtoValue, valueOfJson } from './proto-value.ts';

/**
 * Deepest JSON that every protobuf reader takes: most stop at 100 messages inside each other, an object is three (Value,
 * Struct, map entry), and the answer and its Task are two.
 */
export const protoJsonDepthMax = 32;

/** What may be large. Everything else of a thousand tasks goes into one answer. */
const bulky = ['payload', 'progress', 'result', 'error', 'attempts'] as const;

/** Ready for the serializer; null and missing are both unset there. */
export function taskMessage(task: TaskView): object {
  const tooDeep = (['payload', 'result'] as const).filter((field) => isDeeperThan(task[field], protoJsonDepthMax));
  return {
    ...frameOf(task),
    payload: tooDeep.includes('payload') ? null : valueOrUnset(task.payload),
    progress: task.progress && { ...task.progress, message: textOrUnset(task.progress.message) },
    result: tooDeep.includes('result') ? null : valueOrUnset(task.result),
    error: errorMessage(task.error),
    attempts: task.attempts.map(attemptMessage),
    omitted: tooDeep,
  };
}

/** The task without what may be large. */
export function taskSummary(task: TaskView): object {
  return { ...frameOf(task), omitted: bulky };
}

function frameOf(task: TaskView): object {
  return {
    id: task.id,
    type: task.type,
    queue: task.queue,
    state: stateName(task.state),
    priority: task.priority,
    labels: task.labels,
    attempt: task.attempt,
    max_attempts: task.maxAttempts,
    worker: task.worker,
    submitted_at: timestampOf(task.submittedAt),
    run_at: timeOrUnset(task.runAt),
    next_attempt_at: timeOrUnset(task.nextAttemptAt),
    started_at: timeOrUnset(task.startedAt),
    finished_at: timeOrUnset(task.finishedAt),
    retry_of: task.retryOf,
    deadline_at: timeOrUnset(task.deadlineAt),
    exclusive_key: textOrUnset(task.exclusiveKey),
    after: task.after,
    after_failure: `AFTER_FAILURE_${task.afterFailure.toUpperCase()}`,
    schedule: task.schedule && { name: wellFormed(task.schedule.name), at: timeOrUnset(task.schedule.at) },
  };
}

export function stateName(state: TaskView['state']): string {
  return `TASK_STATE_${state.toUpperCase()}`;
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

function valueOrUnset(json: Json): ProtoValue | null {
  return json === null ? null : valueOfJson(json);
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
