// A schedule in the protobuf of the gRPC face: the same fields as in JSON, unset where they have no value.

import type { ScheduleRecord, ScheduleSnapshot, SkipReason, TickState } from '../../domain/schedule.ts';
import type { TaskSpec } from '../../domain/task.ts';
import { isDeeperThan } from '../api/storable-json.ts';
import { protoJsonDepthMax } from './grpc-task.ts';
import { type ProtoTime, timestampOf } from './proto-time.ts';
import { valueOfJson } from './proto-value.ts';

/** Ready for the serializer; null and missing are both unset there. */
export function scheduleMessage(schedule: ScheduleSnapshot): object {
  const { name, record, nextRunAt, state, lastTask, createdAt, updatedAt, fault } = schedule;
  const isTooDeep = record !== null && isDeeperThan(record.task.payload, protoJsonDepthMax);
  return {
    name,
    spec: record && specMessage(record, isTooDeep),
    since: timeOrUnset(record?.since ?? null),
    next_run_at: timeOrUnset(nextRunAt),
    ...stateMessage(state),
    last_task_id: lastTask,
    created_at: timestampOf(createdAt),
    updated_at: timestampOf(updatedAt),
    fault,
    omitted: isTooDeep ? ['spec.task.payload'] : [],
  };
}

function specMessage({ timing, task, overlap, catchUp, paused }: ScheduleRecord, isTooDeep: boolean): object {
  return {
    cron: timing.kind === 'cron' ? timing.cron : null,
    time_zone: timing.kind === 'cron' ? timing.timeZone : null,
    every_ms: timing.kind === 'interval' ? timing.everyMs : null,
    task: taskSpecMessage(task, isTooDeep),
    overlap: `OVERLAP_${overlap.toUpperCase()}`,
    catch_up: catchUp,
    paused,
  };
}

function taskSpecMessage(task: TaskSpec, isTooDeep: boolean): object {
  const { type, queue, priority, labels, backoff } = task;
  return {
    ...{ type, queue, priority, labels },
    payload: isTooDeep || task.payload === null ? null : valueOfJson(task.payload),
    timeout_ms: task.timeoutMs,
    max_attempts: task.maxAttempts,
    backoff: {
      type: `BACKOFF_TYPE_${backoff.type.toUpperCase()}`,
      delay_ms: backoff.delayMs,
      max_delay_ms: backoff.maxDelayMs,
      jitter: backoff.jitter,
    },
    retention_ms: task.retentionMs,
    deadline_ms: task.deadlineMs,
    exclusive_key: task.exclusiveKey,
  };
}

function stateMessage(state: TickState | null): object {
  const { at = null, lastRunAt = null, runs = 0, skipped = 0, missed = 0, lastSkip = null } = state ?? {};
  return {
    last_tick_at: timeOrUnset(at),
    last_run_at: timeOrUnset(lastRunAt),
    ...{ runs, skipped, missed },
    last_skip: lastSkip && { at: timestampOf(lastSkip.at), why: skipReasonName(lastSkip.why) },
  };
}

function skipReasonName(why: SkipReason): string {
  return `SKIP_REASON_${why.toUpperCase().replaceAll('-', '_')}`;
}

function timeOrUnset(epochMs: number | null): ProtoTime | null {
  return epochMs === null ? null : timestampOf(epochMs);
}
