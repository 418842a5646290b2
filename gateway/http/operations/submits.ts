// What makes tasks: a submit, a batch, a retry.

import type { TaskView } from '../../../domain/task-view.ts';
import { parseRetry } from '../../api/control-requests.ts';
import { parseBatch, parseSubmit } from '../../api/request-parsing.ts';
import { sendJson, sendJsonList } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { json } from '../schemas.ts';
import { taskJson } from '../task-json.ts';
import { idempotencyKey, prefer, taskId, wait } from '../task-parameters.ts';
import { queuedTask, succeededTask } from './examples.ts';
import {
  location,
  preferenceApplied,
  requestedWait,
  sendSubmitted,
  submitProblems,
  taskAnswer,
} from './task-answers.ts';

export const submitTask = operation({
  operationId: 'submitTask',
  method: 'post',
  path: '/tasks',
  tag: 'tasks',
  summary: 'Submit a task',
  description: 'The task is committed by the ensemble before the answer.',
  parameters: { wait, prefer, idempotencyKey },
  body: { component: 'SubmitTask', required: true },
  answers: {
    200: taskAnswer('The idempotency key had made this task before.', 'waited'),
    201: taskAnswer('The task, committed; with a wait, as it is at its end.', 'waited', { Location: location }),
  },
  problems: [...submitProblems, 'dependency-not-found', 'payload-too-large', 'too-many-waits'],
  example: {
    path: '/tasks?wait=10s',
    headers: { 'Idempotency-Key': 'order-7' },
    body: { type: 'echo', payload: { hello: 'world' }, labels: { team: 'red' } },
    status: 201,
    answer: succeededTask,
  },
  handle:
    ({ api }) =>
    async (request, response) => {
      const wait = requestedWait(request);
      const { spec, idempotencyKey, fingerprint } = parseSubmit(
        request.body,
        request.parameters.idempotencyKey,
        Date.now(),
      );
      const submitted = await api.submit(spec, { idempotencyKey, fingerprint, ...wait });
      sendSubmitted(response, submitted, preferenceApplied(wait));
    },
});

export const submitTasks = operation({
  operationId: 'submitTasks',
  method: 'post',
  path: '/tasks/batch',
  tag: 'tasks',
  summary: 'Submit tasks together',
  description: 'All of them are committed by the ensemble before the answer, or none is.',
  parameters: { idempotencyKey },
  body: { component: 'SubmitTasks', required: true },
  answers: {
    200: { description: 'The idempotency key had made these tasks before.', content: json('TaskBatch') },
    201: { description: 'The tasks, committed.', content: json('TaskBatch') },
  },
  problems: [...submitProblems, 'dependency-not-found', 'payload-too-large', 'batch-too-large'],
  example: {
    path: '/tasks/batch',
    body: { tasks: [{ type: 'echo', payload: { hello: 'world' }, labels: { team: 'red' } }] },
    status: 201,
    answer: { tasks: [queuedTask] },
  },
  handle:
    ({ api }) =>
    async ({ parameters, body }, response) => {
      const { specs, ...key } = parseBatch(body, parameters.idempotencyKey, Date.now());
      const { tasks, created } = await api.submitBatch(specs, key);
      if (Symbol.iterator in tasks) sendJson(response, created ? 201 : 200, { tasks: Array.from(tasks, taskJson) });
      else await sendJsonList(response, 200, 'tasks', asJson(tasks));
    },
});

async function* asJson(tasks: AsyncIterable<TaskView>): AsyncGenerator<object, void> {
  for await (const task of tasks) yield taskJson(task);
}

export const retryTask = operation({
  operationId: 'retryTask',
  method: 'post',
  path: '/tasks/{id}/retry',
  tag: 'tasks',
  summary: 'Run a failed or cancelled task again',
  description:
    'As a new task without a delay, which names the old one in `retryOf`. One that failed or was cancelled before the tasks of its ' +
    '`after` had let it go still comes after them: it waits until they, or retries of them, have succeeded.',
  parameters: { id: taskId, idempotencyKey },
  body: { component: 'RetryTask', required: false },
  answers: {
    200: taskAnswer('The idempotency key had made this task before.', 'at once'),
    201: taskAnswer('The new task, committed.', 'at once', { Location: location }),
  },
  problems: [...submitProblems, 'task-not-found', 'task-not-final', 'task-not-retryable', 'dependency-not-found'],
  example: {
    path: '/tasks/task-0000000041/retry',
    headers: { 'Idempotency-Key': 'again-41' },
    status: 201,
    answer: { ...queuedTask, retryOf: 'task-0000000041' },
  },
  handle:
    ({ api }) =>
    async ({ parameters, body }, response) => {
      const key = parseRetry(body, parameters.idempotencyKey);
      sendSubmitted(response, await api.retry(parameters.id, key));
    },
});
