// What a handler is told of its run besides the payload. Pure.

import type { TaskId, TaskRecord } from '../../domain/task.ts';
import { deadlineOf } from '../../domain/task-view.ts';
import { timestampText } from '../../domain/timestamp.ts';
import type { RunFacts } from './handlers/handler.ts';

/** `czxid` of the assignment: it grows with every transaction of the ensemble. */
export function runFacts(taskId: TaskId, record: TaskRecord, attempt: number, czxid: bigint): RunFacts {
  const { maxAttempts, queue, labels, retryOf, schedule } = record;
  return {
    taskId,
    attempt,
    maxAttempts,
    fencingToken: String(czxid),
    queue,
    labels,
    deadlineAt: textOf(deadlineOf(record)),
    schedule: schedule && { name: schedule.name, at: textOf(schedule.at) },
    retryOf,
  };
}

function textOf(at: number | null): string | null {
  return at === null ? null : timestampText(at);
}
