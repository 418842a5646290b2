// A schedule in the JSON of the HTTP face: every field always there, null where it has no value.

import type { ScheduleRecord, ScheduleSnapshot, TickState } from '../../domain/schedule.ts';
import type { TaskSpec } from '../../domain/task.ts';
import { formatRfc3339 } from '../api/rfc3339.ts';

/** Ready for JSON.stringify; shape: the component Schedule of the OpenAPI document. */
export function scheduleJson(schedule: ScheduleSnapshot): Record<string, unknown> {
  const { name, record, nextRunAt, state, lastTask, createdAt, updatedAt, fault } = schedule;
  return {
    name,
    ...definitionJson(record),
    nextRunAt: timeOrNull(nextRunAt),
    ...stateJson(state),
    lastTaskId: lastTask,
    createdAt: formatRfc3339(createdAt),
    updatedAt: formatRfc3339(updatedAt),
    fault,
  };
}

function definitionJson(record: ScheduleRecord | null): object {
  const { timing = null, task = null, overlap = null, catchUp = null, paused = null, since = null } = record ?? {};
  return {
    cron: timing?.kind === 'cron' ? timing.cron : null,
    timeZone: timing?.kind === 'cron' ? timing.timeZone : null,
    everyMs: timing?.kind === 'interval' ? timing.everyMs : null,
    task: task && taskSpecJson(task),
    overlap,
    catchUp,
    paused,
    since: timeOrNull(since),
  };
}

function taskSpecJson(task: TaskSpec): object {
  const { type, payload, queue, priority, timeoutMs, maxAttempts, labels, retentionMs } = task;
  const { type: backoffType, delayMs, maxDelayMs, jitter } = task.backoff;
  return {
    ...{ type, payload, queue, priority, timeoutMs, maxAttempts, labels, retentionMs },
    backoff: { type: backoffType, delayMs, maxDelayMs, jitter },
    deadlineMs: task.deadlineMs,
    exclusiveKey: task.exclusiveKey,
  };
}

function stateJson(state: TickState | null): object {
  const { at = null, lastRunAt = null, runs = 0, skipped = 0, missed = 0, lastSkip = null } = state ?? {};
  return {
    lastTickAt: timeOrNull(at),
    lastRunAt: timeOrNull(lastRunAt),
    ...{ runs, skipped, missed },
    lastSkip: lastSkip && { at: formatRfc3339(lastSkip.at), why: lastSkip.why },
  };
}

function timeOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : formatRfc3339(epochMs);
}
