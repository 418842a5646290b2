// What is asked of schedules, checked: both faces come through here (gRPC in the JSON form of its message). Throws
// 'invalid-request', naming every fault, and 'payload-too-large'.

import { type FieldFault, ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { ScheduleSpec, Timing } from '../../domain/schedule.ts';
import { CronFault } from '../../runtime/cron-expression.ts';
import { cronTicks } from '../../runtime/cron-ticks.ts';
import { bodyCheck, valueCheck } from './body-check.ts';
import { oneIdempotencyKey } from './idempotency-key.ts';
import { invalidRequest } from './invalid-request.ts';
import { requirePayloadSize, specOf } from './request-parsing.ts';
import { type PutScheduleBody, putScheduleSchema, runScheduleSchema, scheduleNameSchema } from './schedule-schema.ts';

// The body is one level around the task, which is one around the payload.
const checkPut = bodyCheck<PutScheduleBody>(putScheduleSchema, limits.jsonDepthMax + 2);
const checkRun = bodyCheck<{ readonly idempotencyKey?: string }>(runScheduleSchema, 2);
const nameFault = valueCheck(scheduleNameSchema);

/** `paused` null: as it is. */
export type ScheduleRequest = Omit<ScheduleSpec, 'paused'> & { readonly paused: boolean | null };

/** `sent` is parsed JSON, ours to change. */
export function parsePutSchedule(sent: unknown): ScheduleRequest {
  const body = checkPut(sent);
  const { overlap, catchUp, paused = null } = body;
  requirePayloadSize(body.task.payload, '/task/payload');
  requireSize(body);
  const task = specOf({ ...body.task, after: [], afterFailure: 'fail' }, 0);
  return { timing: timingOf(body), task, overlap, catchUp, paused };
}

export function parseScheduleName(name: string): string {
  const fault = nameFault(name);
  if (fault === null) return name;
  const shown = JSON.stringify(name.slice(0, 80));
  throw new ServiceError('invalid-request', `The name of the schedule, ${shown}, ${fault}.`);
}

/** The idempotency key, from beside the body or out of it; null: none. `body` is undefined where there was none. */
export function parseRunSchedule(body: unknown, headerKey: string | null): string | null {
  return oneIdempotencyKey(headerKey, checkRun(body === undefined ? {} : body).idempotencyKey ?? null);
}

function timingOf({ cron, timeZone, everyMs }: PutScheduleBody): Timing {
  if (cron === undefined && everyMs === undefined) throw fault('/cron', 'is required, or everyMs in its place');
  if (cron === undefined || everyMs !== undefined) {
    if (cron !== undefined) throw fault('/everyMs', 'cannot be given together with cron');
    if (timeZone !== undefined) throw fault('/timeZone', 'is about cron, and says nothing of everyMs');
    return { kind: 'interval', everyMs: everyMs ?? 0 };
  }
  const timing = { kind: 'cron', cron, timeZone: timeZone ?? 'UTC' } as const;
  try {
    cronTicks(timing.cron, timing.timeZone);
    return timing;
  } catch (error) {
    if (error instanceof CronFault) throw fault(`/${error.field}`, error.message);
    throw error;
  }
}

function fault(pointer: string, detail: string): ServiceError {
  return invalidRequest([{ pointer, detail }]);
}

function requireSize(body: PutScheduleBody): void {
  const bytes = Buffer.byteLength(JSON.stringify(body));
  if (bytes <= limits.scheduleBytesMax) return;
  const detail = `makes the schedule ${bytes} bytes as UTF-8 JSON; at most ${limits.scheduleBytesMax} are taken`;
  const faults: FieldFault[] = [{ pointer: '/task', detail }];
  throw new ServiceError('payload-too-large', `The task ${detail}.`, { faults });
}
