// Workers, queues, and the whole in numbers.

import { parseQueueName, parseQueueUpdate } from '../../api/control-requests.ts';
import { settableQueueNameSchema } from '../../api/control-schemas.ts';
import { queueJson, queueSettingsJson, statsJson, workerJson } from '../fleet-json.ts';
import { sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { pathParameter } from '../parameters.ts';
import { json } from '../schemas.ts';
import { queueSettings } from './examples.ts';
import { writeProblems } from './task-answers.ts';

export const listWorkers = operation({
  operationId: 'listWorkers',
  method: 'get',
  path: '/workers',
  tag: 'fleet',
  summary: 'List workers',
  answers: { 200: { description: 'All that are registered.', content: json('Workers') } },
  problems: ['no-leader'],
  compressed: true,
  example: {
    path: '/workers',
    status: 200,
    answer: {
      workers: [
        {
          id: 'worker-1',
          address: '127.0.0.1:4000',
          concurrency: 16,
          types: ['echo', 'http', 'sleep'],
          queues: null,
          running: 3,
          draining: false,
        },
      ],
    },
  },
  handle:
    ({ api }) =>
    async (_request, response) => {
      sendJson(response, 200, { workers: (await api.workers()).map(workerJson) });
    },
});

export const listQueues = operation({
  operationId: 'listQueues',
  method: 'get',
  path: '/queues',
  tag: 'fleet',
  summary: 'List queues',
  answers: { 200: { description: 'Those with settings or unfinished tasks.', content: json('Queues') } },
  problems: ['no-leader'],
  compressed: true,
  example: {
    path: '/queues',
    status: 200,
    answer: { queues: [{ ...queueSettings, scheduled: 0, queued: 12, running: 5 }] },
  },
  handle:
    ({ api }) =>
    async (_request, response) => {
      sendJson(response, 200, { queues: (await api.queues()).map(queueJson) });
    },
});

const queueName = pathParameter(
  { name: 'name', description: 'Name of the queue; it need not have tasks yet.', schema: settableQueueNameSchema },
  parseQueueName,
);

export const getQueue = operation({
  operationId: 'getQueue',
  method: 'get',
  path: '/queues/{name}',
  tag: 'fleet',
  summary: 'Look at the settings of a queue',
  description: 'Also while no master leads; what is in the queue, `GET /queues` tells.',
  parameters: { name: queueName },
  answers: { 200: { description: 'All of them, the defaults where none was set.', content: json('QueueSettings') } },
  problems: ['coordination-unavailable', 'queue-unreadable'],
  example: { path: '/queues/mail', status: 200, answer: queueSettings },
  handle:
    ({ api }) =>
    async ({ parameters: { name } }, response) => {
      sendJson(response, 200, queueSettingsJson(name, await api.queue(name)));
    },
});

export const updateQueue = operation({
  operationId: 'updateQueue',
  method: 'put',
  path: '/queues/{name}',
  tag: 'fleet',
  summary: 'Pause or limit a queue',
  description: 'Changes what the body names and keeps the rest; null lifts a limit.',
  parameters: { name: queueName },
  body: { component: 'UpdateQueue', required: true },
  answers: { 200: { description: 'All settings of the queue as they are now.', content: json('QueueSettings') } },
  problems: [...writeProblems, 'queue-unreadable', 'too-many-queues'],
  example: {
    path: '/queues/mail',
    body: { concurrency: 5, ratePerSecond: 10, burst: 20, maxQueued: null },
    status: 200,
    answer: queueSettings,
  },
  handle:
    ({ api }) =>
    async ({ parameters: { name }, body }, response) => {
      sendJson(response, 200, queueSettingsJson(name, await api.updateQueue(name, parseQueueUpdate(body))));
    },
});

export const getStats = operation({
  operationId: 'getStats',
  method: 'get',
  path: '/stats',
  tag: 'fleet',
  summary: 'The whole system in numbers',
  answers: { 200: { description: 'As the leading master sees it now.', content: json('Stats') } },
  problems: ['no-leader'],
  example: {
    path: '/stats',
    status: 200,
    answer: {
      leader: '127.0.0.1:3000',
      workers: 2,
      slots: { total: 32, free: 27 },
      tasks: { scheduled: 0, queued: 12, running: 5, succeeded: 1093, failed: 2, cancelled: 0 },
      oldestQueuedMs: 180,
    },
  },
  handle:
    ({ api }) =>
    async (_request, response) => {
      sendJson(response, 200, statsJson(await api.stats()));
    },
});
