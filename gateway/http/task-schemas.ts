// What the HTTP face answers, as JSON Schema: the Task and the problem document. Components of the OpenAPI document;
// tests check real answers against them.

import { afterFailures, taskErrorCodes, taskStates } from '../../domain/task.ts';
import { exactly, orNull, type Schema, textOrNull, time, timeOrNull } from './schema-words.ts';

const taskErrorSchema = exactly('Why a task or an attempt did not succeed.', {
  code: {
    type: 'string',
    description: `${taskErrorCodes.join(', ')}; more may come.`,
  },
  message: { type: 'string', description: 'For people.' },
});

const attemptSchema = exactly('One ended attempt.', {
  attempt: { type: 'integer', minimum: 1 },
  worker: textOrNull,
  outcome: { type: 'string', enum: ['succeeded', 'failed', 'timed_out', 'lost'] },
  error: orNull(taskErrorSchema),
  startedAt: timeOrNull,
  finishedAt: time,
});

const progressSchema = exactly('What the running attempt said of itself.', {
  percent: { type: 'number' },
  message: textOrNull,
});

const scheduledBySchema = exactly('The schedule that made it.', {
  name: { type: 'string' },
  at: { ...timeOrNull, description: 'The tick that it is for; null where the schedule was run by hand.' },
});

export const taskSchema = exactly('A task as it is now. Every field is always there, null where it has no value.', {
  id: { type: 'string', description: 'Opaque.', examples: ['task-0000000042'] },
  type: { ...textOrNull, description: 'Null for a task made by hand whose data cannot be read; queue likewise.' },
  queue: textOrNull,
  state: { type: 'string', enum: [...taskStates] },
  payload: { description: 'Any JSON.' },
  priority: { type: 'integer' },
  labels: { type: 'object', additionalProperties: { type: 'string' } },
  attempt: { type: 'integer', minimum: 0, description: 'The present or last one; 0 before the first.' },
  maxAttempts: { type: 'integer', minimum: 1 },
  worker: {
    ...textOrNull,
    description:
      'Of the running attempt, or of the one that the task ended with. Null between attempts, and where it ended while it waited.',
  },
  progress: orNull(progressSchema),
  submittedAt: time,
  runAt: { ...timeOrNull, description: 'The time that the submit asked for.' },
  nextAttemptAt: {
    ...timeOrNull,
    description:
      'When the next attempt may start: of a scheduled task that is delayed or backs off. Null in every other state, and while it waits for other tasks.',
  },
  startedAt: { ...timeOrNull, description: 'Of the attempt that `worker` is of; null where that is.' },
  finishedAt: { ...timeOrNull, description: 'When it became final.' },
  result: { description: 'Of a succeeded task: any JSON.' },
  error: orNull(taskErrorSchema),
  attempts: { type: 'array', items: attemptSchema, description: 'Ended attempts in order.' },
  retryOf: { ...textOrNull, description: 'The task that this one runs again.' },
  deadlineAt: { ...timeOrNull, description: 'Not finished by then, it fails.' },
  exclusiveKey: textOrNull,
  after: { type: 'array', items: { type: 'string' }, description: 'Tasks that have to have succeeded before it runs.' },
  afterFailure: {
    type: 'string',
    enum: [...afterFailures],
    description: 'What it does when one of them does not succeed.',
  },
  schedule: orNull(scheduledBySchema),
});

export const problemSchema: Schema = {
  type: 'object',
  description: 'RFC 9457. The last part of type is stable and tells what happened.',
  required: ['type', 'title', 'status', 'detail'],
  additionalProperties: false,
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'For people: what is wrong, where, and what to do next.' },
    errors: {
      type: 'array',
      description: 'The places of the body that do not fit.',
      items: exactly('One of them.', {
        pointer: { type: 'string', description: 'JSON pointer (RFC 6901) into the request body.' },
        detail: { type: 'string' },
      }),
    },
  },
};
