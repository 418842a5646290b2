// What the HTTP face answers about schedules, as JSON Schema. Components of the OpenAPI document.

import { overlaps, skipReasons } from '../../domain/schedule.ts';
import { count, exactly, listOf, orNull, type Schema, text, textOrNull, time, timeOrNull } from './schema-words.ts';

const countOrNull: Schema = { type: ['integer', 'null'], minimum: 0 };

const taskSpecSchema = exactly('The task that each tick makes, its defaults filled in.', {
  type: text,
  payload: { description: 'Any JSON.' },
  queue: text,
  priority: { type: 'integer' },
  timeoutMs: count,
  maxAttempts: count,
  backoff: exactly('Pauses between attempts.', {
    type: { type: 'string', enum: ['exponential', 'fixed'] },
    delayMs: count,
    maxDelayMs: countOrNull,
    jitter: { type: 'boolean' },
  }),
  labels: { type: 'object', additionalProperties: { type: 'string' } },
  retentionMs: count,
  deadlineMs: countOrNull,
  exclusiveKey: textOrNull,
});

const skipSchema = exactly('A tick that made no task.', {
  at: time,
  why: {
    type: 'string',
    enum: [...skipReasons],
    description:
      'A task of the schedule was unfinished (overlap skip), too many were, or the task numbers of the ensemble are used up.',
  },
});

export const scheduleSchema = exactly('A schedule and how far it has come. Every field is always there.', {
  name: text,
  cron: { ...textOrNull, description: 'Null for one with everyMs; timeZone likewise.' },
  timeZone: textOrNull,
  everyMs: countOrNull,
  task: orNull(taskSpecSchema),
  overlap: orNull({ type: 'string', enum: [...overlaps] }),
  catchUp: countOrNull,
  paused: { type: ['boolean', 'null'] },
  since: { ...timeOrNull, description: 'Its ticks come after this: since its times were set, or it was resumed.' },
  nextRunAt: {
    ...timeOrNull,
    description: 'When it is due next. Null while it is paused; past where no master leads that would make the task.',
  },
  lastTickAt: { ...timeOrNull, description: 'The last tick that was handled, whatever came of it.' },
  lastRunAt: { ...timeOrNull, description: 'The last tick that made a task.' },
  runs: { ...count, description: 'Ticks that made a task.' },
  skipped: { ...count, description: 'Ticks that made none; `lastSkip` says why the last of them did not.' },
  missed: {
    ...count,
    description: 'Ticks that were missed and not made up; of more than 1000 on end, only so many are counted.',
  },
  lastSkip: orNull(skipSchema),
  lastTaskId: {
    ...textOrNull,
    description: 'The task of the last tick that made one, where that can be told; lists may leave it out.',
  },
  createdAt: time,
  updatedAt: { ...time, description: 'When the definition was last changed.' },
  fault: {
    ...textOrNull,
    description:
      'Why what somebody wrote there by hand cannot be read; then the definition is null, and makes nothing.',
  },
});

export const schedulesSchema: Schema = {
  type: 'object',
  description: 'Schedules.',
  additionalProperties: false,
  required: ['schedules'],
  properties: {
    schedules: { ...listOf({ $ref: '#/components/schemas/Schedule' }), description: 'By name.' },
    nextCursor: { ...text, description: 'Where the rest begins, of more than fit into one answer; else absent.' },
  },
};
