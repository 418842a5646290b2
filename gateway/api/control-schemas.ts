// The bodies of what is asked of tasks and queues that are there already, as JSON Schema: components of the OpenAPI document,
// and the very objects that control-requests.ts compiles.

import type { OpenAPIV3_1 } from 'openapi-types';
import { limits } from '../../domain/limits.ts';
import { idempotencyKeySchema } from './submit-schema.ts';
import { textForms } from './text-forms.ts';

export const cancelTaskSchema: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  description: 'Why a task is cancelled.',
  additionalProperties: false,
  properties: {
    reason: {
      type: 'string',
      maxLength: limits.cancelReasonCharactersMax,
      default: '',
      description: "For people; becomes the message of the cancelled task's error.",
    },
  },
};

export const retryTaskSchema: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  description: 'What can be said of a retry.',
  additionalProperties: false,
  properties: { idempotencyKey: idempotencyKeySchema },
};

/** A number within bounds, or null, which lifts the limit. */
function bound(
  type: 'integer' | 'number',
  minimum: number,
  maximum: number,
  description: string,
): OpenAPIV3_1.SchemaObject {
  return { type: [type, 'null'], minimum, maximum, description: `${description} Null: no such limit.` };
}

/** The fields of QueueSettings (domain/queue-settings.ts). */
export const queueSettingsProperties = {
  paused: { type: 'boolean', description: 'True: nothing of the queue is started; what runs goes on.' },
  concurrency: bound('integer', 0, limits.queueConcurrencyMax, 'Tasks of the queue that run at a time.'),
  ratePerSecond: bound(
    ...(['number', limits.queueRatePerSecondMin, limits.queueRatePerSecondMax] as const),
    'Tasks of the queue that are started in a second, on average.',
  ),
  burst: bound('integer', 1, limits.queueBurstMax, 'Tasks that may be started at once after a pause.'),
  maxQueued: bound(
    ...(['integer', 0, limits.queueMaxQueuedMax] as const),
    'Submits are refused while so many tasks of the queue wait.',
  ),
} satisfies Record<string, OpenAPIV3_1.SchemaObject>;

export const updateQueueSchema: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  description: 'What is to be changed of a queue; the rest stays as it is.',
  additionalProperties: false,
  properties: queueSettingsProperties,
};

/** `.` and `..` are queues as good as others, but can have no settings: they name no znode. */
export const settableQueueNameSchema: OpenAPIV3_1.SchemaObject = {
  type: 'string',
  pattern: textForms.znodeName.pattern,
};
