// What a master's answers have to look like, for us to pass them on: domain/master-index.ts as JSON schemas. Members that we
// do not know may be there, from a newer master, and are left out; what came later than the rest, and an older master does not
// say, has a default.

import { Ajv2020 } from 'ajv/dist/2020.js';
import type { TaskExplanation } from '../../domain/explanation.ts';
import type {
  EventLine,
  IndexedTasks,
  QueueView,
  StatsView,
  TaskEvent,
  WorkerView,
} from '../../domain/master-index.ts';
import { taskStates } from '../../domain/task.ts';

/** The answer of one kind, from parsed JSON; null where it is none. */
export type AnswerReader<T> = (json: unknown) => T | null;

const text = { type: 'string' };
const textOrNull = { type: ['string', 'null'] };
const count = { type: 'integer', minimum: 0 };
const numberOrNull = { type: ['number', 'null'] };
const namesOrNull = { type: ['array', 'null'], items: text };
const flag = { type: 'boolean' };
const position = { type: 'string', pattern: '^[0-9a-f]{1,16}-\\d{1,15}$' };
const taskId = { type: 'string', pattern: '^task-\\d{1,32}$' };

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, removeAdditional: 'all', useDefaults: true });

/** An object that has all of `properties`, but for those with a default. */
function object<T>(properties: Record<keyof T & string, object>): object {
  const required = Object.entries<object>(properties).flatMap(([name, schema]) => ('default' in schema ? [] : [name]));
  return { type: 'object', required, additionalProperties: false, properties };
}

function listOf(items: object): object {
  return { type: 'array', items };
}

/** `json` is ours to change. */
function reader<T>(schema: object): AnswerReader<T> {
  const fits = ajv.compile<T>(schema);
  return (json) => (fits(json) ? json : null);
}

const counts = (names: readonly string[]) => object(Object.fromEntries(names.map((name) => [name, count])));

export const readIndexedTasks = reader<IndexedTasks>(
  object<IndexedTasks>({
    tasks: listOf(object<IndexedTasks['tasks'][number]>({ id: taskId, position })),
    next: { ...position, type: ['string', 'null'] },
  }),
);

const workerView = object<WorkerView>({
  id: text,
  address: text,
  concurrency: count,
  types: namesOrNull,
  queues: { ...namesOrNull, default: null },
  running: count,
  draining: flag,
});
export const readWorkers = reader<readonly WorkerView[]>(listOf(workerView));

const queueView = object<QueueView>({
  name: text,
  paused: flag,
  concurrency: numberOrNull,
  ratePerSecond: numberOrNull,
  burst: numberOrNull,
  maxQueued: numberOrNull,
  scheduled: count,
  queued: count,
  running: count,
});
export const readQueues = reader<readonly QueueView[]>(listOf(queueView));

export const readStats = reader<StatsView>(
  object<StatsView>({
    leader: text,
    workers: count,
    slots: counts(['total', 'free']),
    tasks: counts(taskStates),
    oldestQueuedMs: numberOrNull,
  }),
);

/** A newer master may know more reasons than we do. */
const reason = { type: 'string', pattern: '^[a-z_]{1,64}$' };
export const readExplanation = reader<TaskExplanation>(
  object<TaskExplanation>({
    id: taskId,
    state: { enum: [...taskStates, null] },
    type: textOrNull,
    queue: textOrNull,
    reason,
    message: text,
    since: numberOrNull,
    until: numberOrNull,
    worker: textOrNull,
    tasks: listOf(taskId),
    workers: numberOrNull,
    limit: numberOrNull,
    position: numberOrNull,
    also: listOf(object<TaskExplanation['also'][number]>({ reason, message: text })),
  }),
);

const taskEvent = object<TaskEvent>({
  id: taskId,
  type: textOrNull,
  queue: textOrNull,
  state: { enum: taskStates },
  attempt: count,
  worker: textOrNull,
  at: { type: 'number' },
});
const lineReaders: Record<EventLine['kind'], AnswerReader<EventLine>> = {
  start: reader<EventLine>(object<EventLine & { kind: 'start' }>({ kind: text, resumed: flag })),
  event: reader<EventLine>(object<EventLine & { kind: 'event' }>({ kind: text, eventId: text, event: taskEvent })),
  alive: reader<EventLine>(object<EventLine & { kind: 'alive' }>({ kind: text })),
};

export const readEventLine: AnswerReader<EventLine> = (json) => {
  const kind = typeof json === 'object' && json !== null && 'kind' in json ? json.kind : null;
  return kind === 'start' || kind === 'event' || kind === 'alive' ? lineReaders[kind](json) : null;
};
