// What the HTTP face answers about many tasks, workers and queues, as JSON Schema. Components of the OpenAPI document.

import { taskStates } from '../../domain/task.ts';
import { queueSettingsProperties } from '../api/control-schemas.ts';
import { count, exactly, listOf, orNull, type Schema, text, textOrNull, time } from './schema-words.ts';

const task = { $ref: '#/components/schemas/Task' };
const state: Schema = { type: 'string', enum: [...taskStates] };

export const taskPageSchema: Schema = {
  type: 'object',
  description: 'A page of a list.',
  additionalProperties: false,
  required: ['tasks'],
  properties: {
    tasks: { ...listOf(task), description: 'Newest first. A page may be short, even empty, and not be the last.' },
    nextCursor: { ...text, description: 'Opaque. Where the next page begins; absent at the end, and only there.' },
  },
};

export const taskBatchSchema = exactly('Tasks that were submitted together.', {
  tasks: { ...listOf(task), description: 'In the order of the request; of a repeated request those still kept.' },
});

export const taskEventSchema = exactly('A task has changed its state.', {
  id: text,
  type: textOrNull,
  queue: textOrNull,
  state,
  attempt: count,
  worker: textOrNull,
  at: { ...time, description: 'When, as the record of the change says.' },
});

const workerSchema = exactly('A registered worker.', {
  id: text,
  address: { ...text, description: '`host:port` of its admin endpoint, or what else it registered with.' },
  concurrency: { ...count, description: 'Tasks that it runs at a time.' },
  types: { ...orNull(listOf(text)), description: 'Types of tasks that it runs. Null: every type.' },
  queues: { ...orNull(listOf(text)), description: 'Queues that it serves. Null: every queue.' },
  running: { ...count, description: 'Tasks that it holds now.' },
  draining: { type: 'boolean', description: 'True: it stops, and is given nothing more.' },
});

export const workersSchema = exactly('All workers.', { workers: listOf(workerSchema) });

export const queueSettingsSchema = exactly('A queue and all its settings.', {
  name: text,
  ...queueSettingsProperties,
});

const queueSchema = exactly('A queue, its settings, and what is in it.', {
  name: text,
  ...queueSettingsProperties,
  scheduled: count,
  queued: count,
  running: count,
});

export const queuesSchema = exactly('Queues with settings, or with tasks that are not final.', {
  queues: listOf(queueSchema),
});

export const statsSchema = exactly('The whole system in numbers.', {
  leader: { ...text, description: '`host:port` of the admin endpoint of the master that leads.' },
  workers: count,
  slots: exactly('Tasks that can run at a time.', { total: count, free: count }),
  tasks: exactly('Tasks kept now.', Object.fromEntries(taskStates.map((name) => [name, count]))),
  oldestQueuedMs: {
    type: ['integer', 'null'],
    minimum: 0,
    description: 'How long the task that has been queued longest waits; null where none is.',
  },
});

export const statusSchema = exactly('How the gateway is.', { status: { type: 'string', enum: ['ok', 'ready'] } });
