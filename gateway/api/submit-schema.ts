// The body of a submit as JSON Schema (2020-12): the component of the OpenAPI document and the very object that
// request-parsing.ts compiles, defaults included, so that what is documented is what is checked.

import type { OpenAPIV3_1 } from 'openapi-types';
import { limits } from '../../domain/limits.ts';
import { type AfterFailure, afterFailures } from '../../domain/task.ts';
import { textForms } from './text-forms.ts';

/** openapi-types does not know `propertyNames`, a keyword of JSON Schema since draft 6. */
type MapSchema = OpenAPIV3_1.SchemaObject & { propertyNames: OpenAPIV3_1.SchemaObject };

const labels: MapSchema = {
  type: 'object',
  description: 'Free for clients to tell their tasks apart.',
  maxProperties: limits.labelsMax,
  propertyNames: { type: 'string', pattern: textForms.labelKey.pattern },
  additionalProperties: { type: 'string', maxLength: limits.labelValueCharactersMax },
  default: {},
};

const backoff: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  description: 'Pauses between attempts.',
  additionalProperties: false,
  default: {},
  properties: {
    type: {
      type: 'string',
      enum: ['exponential', 'fixed'],
      default: 'exponential',
      description: 'exponential: twice as long after each attempt; fixed: always the same.',
    },
    delayMs: {
      type: 'integer',
      minimum: 0,
      maximum: limits.backoffDelayMsMax,
      default: limits.backoffDelayMsDefault,
      description: 'Pause after the first attempt.',
    },
    maxDelayMs: {
      type: 'integer',
      minimum: 0,
      maximum: limits.backoffDelayMsMax,
      description: 'Longest pause of an exponential backoff; seven days where it is not given.',
    },
    jitter: {
      type: 'boolean',
      default: true,
      description: 'True: the real pause is drawn between half and the whole of the computed one.',
    },
  },
};

const timing: Record<string, OpenAPIV3_1.SchemaObject> = {
  delayMs: {
    type: 'integer',
    minimum: 0,
    maximum: limits.delayMsMax,
    description: 'Not before so many milliseconds from now. Not together with runAt.',
  },
  runAt: {
    type: 'string',
    format: 'date-time',
    description: 'Not before this time; one in the past means now. Not together with delayMs.',
  },
  timeoutMs: {
    type: 'integer',
    minimum: limits.timeoutMsMin,
    maximum: limits.timeoutMsMax,
    default: limits.timeoutMsDefault,
    description: 'Longest time for each attempt.',
  },
  retentionMs: {
    type: 'integer',
    minimum: 0,
    maximum: limits.retentionMsMax,
    default: limits.retentionMsDefault,
    description: 'How long the finished task is kept, from its finish.',
  },
};

const deadlineAndOrder: Record<string, OpenAPIV3_1.SchemaObject> = {
  deadlineMs: {
    type: 'integer',
    minimum: limits.deadlineMsMin,
    maximum: limits.deadlineMsMax,
    description:
      'A task that has not finished so many milliseconds after its submit fails, whatever it is doing then. It has to reach beyond delayMs or runAt.',
  },
  exclusiveKey: {
    type: 'string',
    pattern: textForms.exclusiveKey.pattern,
    description: 'Tasks with the same key never run at the same time, and run in the order of their submission.',
  },
  afterFailure: {
    type: 'string',
    enum: [...afterFailures],
    default: 'fail',
    description:
      'When a task of `after` does not succeed: fail too, run nevertheless, or wait until a retry of it has succeeded.',
  },
};

const taskIdItem: OpenAPIV3_1.SchemaObject = { type: 'string', pattern: textForms.taskId.pattern };
const after: OpenAPIV3_1.SchemaObject = {
  type: 'array',
  description: 'Ids of tasks that have to have succeeded before this one runs.',
  items: taskIdItem,
  maxItems: limits.dependenciesMax,
  uniqueItems: true,
  default: [],
};

export const specProperties: Record<string, OpenAPIV3_1.SchemaObject> = {
  type: { type: 'string', pattern: textForms.name.pattern, description: 'The handler that runs it.' },
  payload: {
    description: `Input of the handler: any JSON, at most ${limits.payloadBytesMax} bytes as UTF-8.`,
    default: null,
  },
  queue: { type: 'string', pattern: textForms.name.pattern, default: 'default', description: 'The queue it waits in.' },
  priority: {
    type: 'integer',
    minimum: limits.priorityMin,
    maximum: limits.priorityMax,
    default: 0,
    description: 'Higher runs first, first come first served within one.',
  },
  ...timing,
  maxAttempts: {
    type: 'integer',
    minimum: 1,
    maximum: limits.attemptsMax,
    default: limits.attemptsDefault,
    description: 'Attempts in all, also those lost with their worker.',
  },
  backoff,
  labels,
  ...deadlineAndOrder,
  after,
};

const memberProperties: Record<string, OpenAPIV3_1.SchemaObject> = {
  ...specProperties,
  after: {
    ...after,
    description:
      'Tasks that have to have succeeded before this one runs: ids, or places in this batch, from 0, before its own.',
    items: { type: ['string', 'integer'], pattern: textForms.taskId.pattern, minimum: 0 },
  },
};

export const idempotencyKeySchema: OpenAPIV3_1.SchemaObject = {
  type: 'string',
  pattern: textForms.idempotencyKey.pattern,
  description: 'The same as the header Idempotency-Key.',
};

const specRules = {
  type: 'object',
  additionalProperties: false,
  not: { type: 'object', required: ['delayMs', 'runAt'], properties: { delayMs: {}, runAt: {} } },
} as const satisfies OpenAPIV3_1.SchemaObject;

export const submitTaskSchema: OpenAPIV3_1.SchemaObject = {
  ...specRules,
  required: ['type'],
  description: 'What a task is to do and under which rules. Unknown fields are refused.',
  properties: { ...specProperties, idempotencyKey: idempotencyKeySchema },
};

export const submitTasksSchema: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  description: 'Tasks that are submitted together: all of them or none.',
  additionalProperties: false,
  required: ['tasks'],
  properties: {
    tasks: {
      type: 'array',
      minItems: 1,
      maxItems: limits.batchTasksMax,
      items: {
        ...specRules,
        required: ['type'],
        description: 'As for a single task, without a key of its own.',
        properties: memberProperties,
      },
    },
    idempotencyKey: {
      ...idempotencyKeySchema,
      description: 'Of the whole batch. The same as the header Idempotency-Key.',
    },
  },
};

/** A body that fits, with the defaults filled in. */
export interface SubmitTaskBody {
  readonly type: string;
  readonly payload: unknown;
  readonly queue: string;
  readonly priority: number;
  readonly delayMs?: number;
  readonly runAt?: string;
  readonly timeoutMs: number;
  readonly retentionMs: number;
  readonly maxAttempts: number;
  readonly backoff: {
    readonly type: 'exponential' | 'fixed';
    readonly delayMs: number;
    readonly maxDelayMs?: number;
    readonly jitter: boolean;
  };
  readonly labels: Record<string, string>;
  readonly deadlineMs?: number;
  readonly exclusiveKey?: string;
  /** Numbers only in a batch: places before its own. */
  readonly after: readonly (string | number)[];
  readonly afterFailure: AfterFailure;
  readonly idempotencyKey?: string;
}

/** A batch that fits, with the defaults filled in. */
export interface SubmitTasksBody {
  readonly tasks: readonly Omit<SubmitTaskBody, 'idempotencyKey'>[];
  readonly idempotencyKey?: string;
}
