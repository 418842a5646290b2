// The bodies of what is asked of schedules, as JSON Schema: components of the OpenAPI document, and the very objects that
// schedule-requests.ts compiles. What goes beyond a schema (the cron expression, the zone) is checked there.

import type { OpenAPIV3_1 } from 'openapi-types';
import { limits } from '../../domain/limits.ts';
import { type Overlap, overlaps } from '../../domain/schedule.ts';
import { idempotencyKeySchema, type SubmitTaskBody, specProperties } from './submit-schema.ts';
import { textForms } from './text-forms.ts';

const { delayMs, runAt, after, afterFailure, ...taskProperties } = specProperties;

const timing = {
  cron: {
    type: 'string',
    maxLength: limits.cronCharactersMax,
    description:
      'When: minute, hour, day of month, month, weekday, with the second before them or without; or @hourly, @daily, @weekly, @monthly, @yearly. Either this or everyMs.',
    examples: ['0 3 * * MON-FRI'],
  },
  timeZone: {
    type: 'string',
    description: 'IANA name of the zone whose clock `cron` is about; UTC where it is not given.',
    examples: ['Europe/Berlin'],
  },
  everyMs: {
    type: 'integer',
    minimum: limits.scheduleEveryMsMin,
    maximum: limits.scheduleEveryMsMax,
    description: 'Always so many milliseconds apart, the first time so long after it was set. Either this or cron.',
  },
} satisfies Record<string, OpenAPIV3_1.SchemaObject>;

export const putScheduleSchema: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  description: 'What is to be done again and again, and when. Unknown fields are refused.',
  additionalProperties: false,
  required: ['task'],
  properties: {
    ...timing,
    task: {
      type: 'object',
      description: 'The task that each tick makes, as for a submit, without what is about one time only.',
      additionalProperties: false,
      required: ['type'],
      properties: taskProperties,
    },
    overlap: {
      type: 'string',
      enum: [...overlaps],
      default: 'skip',
      description:
        'While a task of the schedule is unfinished, a tick makes none (skip), makes one all the same (allow), or cancels it and makes one (replace).',
    },
    catchUp: {
      type: 'integer',
      minimum: 0,
      maximum: limits.scheduleCatchUpMax,
      default: limits.scheduleCatchUpDefault,
      description:
        'Of the ticks that were missed, while no master led say, so many of the newest are made up; at most one unless `overlap` is allow.',
    },
    paused: {
      type: 'boolean',
      description:
        'True: it makes nothing. Where it is not given, the schedule stays as it is; a new one is not paused.',
    },
  },
};

export const runScheduleSchema: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  description: 'What can be said of a run by hand.',
  additionalProperties: false,
  properties: { idempotencyKey: idempotencyKeySchema },
};

export const scheduleNameSchema: OpenAPIV3_1.SchemaObject = {
  type: 'string',
  pattern: textForms.znodeName.pattern,
};

/** A body that fits, with the defaults filled in. */
export interface PutScheduleBody {
  readonly cron?: string;
  readonly timeZone?: string;
  readonly everyMs?: number;
  readonly task: Omit<SubmitTaskBody, 'delayMs' | 'runAt' | 'after' | 'afterFailure' | 'idempotencyKey'>;
  readonly overlap: Overlap;
  readonly catchUp: number;
  readonly paused?: boolean;
}
