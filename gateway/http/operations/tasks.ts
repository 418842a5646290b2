// What can be asked of a task that is there, and the list of them.

import { limits } from '../../../domain/limits.ts';
import type { TaskFilter } from '../../../domain/master-index.ts';
import { parseCancel } from '../../api/control-requests.ts';
import { etagOf, matchesEtag } from '../etag.ts';
import { sendJson, sendNothing, sendText } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { json } from '../schemas.ts';
import { taskJson } from '../task-json.ts';
import { ifNoneMatch, listParameters, prefer, taskId, wait } from '../task-parameters.ts';
import { queuedTask, runningTask, succeededTask } from './examples.ts';
import { etag, preferenceApplied, readProblems, requestedWait, taskAnswer, writeProblems } from './task-answers.ts';

export const getTask = operation({
  operationId: 'getTask',
  method: 'get',
  path: '/tasks/{id}',
  tag: 'tasks',
  summary: 'Get a task, now or when it is final',
  parameters: { id: taskId, wait, prefer, ifNoneMatch },
  answers: {
    200: taskAnswer('The task; where the wait ran out, as it is then.', 'waited', { ETag: etag }),
    304: { description: 'It is as the client knows it.', headers: { ETag: etag } },
  },
  problems: [...readProblems, 'too-many-waits'],
  example: { path: '/tasks/task-0000000042?wait=30s', status: 200, answer: succeededTask },
  handle:
    ({ api }) =>
    async (request, response) => {
      const { id, ifNoneMatch: known } = request.parameters;
      const wait = requestedWait(request);
      const content = JSON.stringify(taskJson(await api.get(id, wait)));
      const tag = etagOf(content);
      const headers = { ETag: tag, ...preferenceApplied(wait) };
      if (known !== null && matchesEtag(known, tag)) sendNothing(response, 304, headers);
      else sendText(response, 200, 'application/json', content, headers);
    },
});

export const listTasks = operation({
  operationId: 'listTasks',
  method: 'get',
  path: '/tasks',
  tag: 'tasks',
  summary: 'List tasks',
  description:
    'Newest first. A page may be shorter than its limit; only an absent `nextCursor` is the end. Cursors stay right while tasks come and go.',
  parameters: listParameters,
  answers: { 200: { description: 'A page of them.', content: json('TaskPage') } },
  problems: ['no-leader', 'coordination-unavailable'],
  compressed: true,
  example: {
    path: '/tasks?state=running&label=team:red&limit=1',
    status: 200,
    answer: { tasks: [runningTask], nextCursor: 'MmEtNDI' },
  },
  handle:
    ({ api }) =>
    async ({ parameters }, response) => {
      const { limit, cursor, labels, ...rest } = parameters;
      const filter: TaskFilter = { ...rest, labels: labels.map(labelOf) };
      const page = await api.list({ filter, limit: limit ?? limits.listLimitDefault, cursor });
      const next = page.nextCursor === null ? {} : { nextCursor: page.nextCursor };
      sendJson(response, 200, { tasks: page.tasks.map(taskJson), ...next });
    },
});

/** Keys have no colon, values may. */
function labelOf(text: string): readonly [key: string, value: string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
}

export const cancelTask = operation({
  operationId: 'cancelTask',
  method: 'post',
  path: '/tasks/{id}/cancel',
  tag: 'tasks',
  summary: 'Cancel a task',
  description: 'One that runs is told to stop and ends soon after this answer; asked twice is as good as once.',
  parameters: { id: taskId },
  body: { component: 'CancelTask', required: false },
  answers: { 202: taskAnswer('It has been asked for. The task as it is now.', 'at once') },
  problems: [...writeProblems, 'task-not-found', 'task-unreadable', 'task-already-final'],
  example: {
    path: '/tasks/task-0000000042/cancel',
    body: { reason: 'ordered twice' },
    status: 202,
    answer: queuedTask,
  },
  handle:
    ({ api }) =>
    async ({ parameters, body }, response) => {
      sendJson(response, 202, taskJson(await api.cancel(parameters.id, parseCancel(body))));
    },
});

export const deleteTask = operation({
  operationId: 'deleteTask',
  method: 'delete',
  path: '/tasks/{id}',
  tag: 'tasks',
  summary: 'Delete a final task',
  description: 'With its result and its idempotency key.',
  parameters: { id: taskId },
  answers: { 204: { description: 'It is gone.' } },
  problems: [...writeProblems, 'task-not-found', 'task-unreadable', 'task-not-final'],
  example: { path: '/tasks/task-0000000040', status: 204 },
  handle:
    ({ api }) =>
    async ({ parameters }, response) => {
      await api.remove(parameters.id);
      sendNothing(response, 204);
    },
});
