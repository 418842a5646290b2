// The parameters of the operations on tasks.

import { limits } from '../../domain/limits.ts';
import { taskStates } from '../../domain/task.ts';
import { parseIdempotencyKeyHeader } from '../api/idempotency-key.ts';
import { parseTaskId } from '../api/task-id.ts';
import { textForms } from '../api/text-forms.ts';
import { parseWait } from '../api/wait-time.ts';
import { header, pathParameter, queryInteger, queryText, queryTexts } from './parameters.ts';
import { preferredWaitMs } from './prefer-header.ts';

export const taskId = pathParameter(
  { name: 'id', description: 'Id of a task, as its submit answered it.', schema: { type: 'string' } },
  parseTaskId,
);

/** In ms; null: none. */
export const wait = queryText(
  {
    name: 'wait',
    description:
      'Hold the answer until the task is final, at most so long: seconds, or a number with ms, s or m, such as `10s`. More than 60 s counts as 60 s.',
    schema: { type: 'string', pattern: textForms.wait.pattern },
  },
  parseWait,
);

/** In ms; null: none. */
export const prefer = header(
  {
    name: 'Prefer',
    description:
      'RFC 7240: `wait=10` is the same as the query parameter, which counts where both are given. What cannot be read is ignored.',
    schema: { type: 'string' },
  },
  (lines) => preferredWaitMs(lines.join(', ')),
);

export const idempotencyKey = header(
  {
    name: 'Idempotency-Key',
    description:
      'The same key with the same request answers what the first one made. A quoted string (RFC 8941) or bare, such as `order-7`; the same as the field of the body. It lives as long as its task.',
    schema: { type: 'string', minLength: 1, maxLength: 2 * limits.idempotencyKeyCharactersMax + 2 },
  },
  parseIdempotencyKeyHeader,
);

/** Null: not a conditional request. */
export const ifNoneMatch = header(
  {
    name: 'If-None-Match',
    description: 'The ETag of an answer that the client still has: 304 where the task is as it was then.',
    schema: { type: 'string' },
  },
  (lines) => (lines.length > 0 ? lines.join(', ') : null),
);

/** Null: from now on. */
export const lastEventId = header(
  {
    name: 'Last-Event-ID',
    description: 'The id of the last event that the client has seen; browsers send it by themselves.',
    schema: { type: 'string' },
  },
  (lines) => lines.join(', ') || null,
);

const name = { type: 'string', pattern: textForms.name.pattern } as const;

/** Which tasks, and how many of them. */
export const listParameters = {
  state: queryText<(typeof taskStates)[number]>({
    name: 'state',
    description: 'Only tasks in this state.',
    schema: { type: 'string', enum: [...taskStates] },
  }),
  type: queryText({ name: 'type', description: 'Only tasks of this type.', schema: name }),
  queue: queryText({ name: 'queue', description: 'Only tasks of this queue.', schema: name }),
  worker: queryText({
    name: 'worker',
    description: 'Only tasks that this worker runs, or has ended.',
    schema: { type: 'string', minLength: 1, maxLength: 1024 },
  }),
  schedule: queryText({ name: 'schedule', description: 'Only tasks that this schedule made.', schema: name }),
  labels: queryTexts({
    name: 'label',
    description: 'Only tasks with this label, as `key:value`. Several must all match.',
    schema: {
      type: 'array',
      maxItems: limits.labelsMax,
      items: {
        type: 'string',
        pattern: textForms.label.pattern,
      },
    },
  }),
  limit: queryInteger({
    name: 'limit',
    description: `Tasks in the answer. More than ${limits.listLimitMax} counts as ${limits.listLimitMax}.`,
    schema: { type: 'integer', minimum: 1, default: limits.listLimitDefault },
  }),
  cursor: queryText({
    name: 'cursor',
    description: 'The `nextCursor` of the page before, with the same filters.',
    schema: { type: 'string', pattern: textForms.cursor.pattern },
  }),
} as const;
