// Why a task is not running.

import { explanationJson } from '../explanation-json.ts';
import { sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { json } from '../schemas.ts';
import { taskId } from '../task-parameters.ts';

export const explainTask = operation({
  operationId: 'explainTask',
  method: 'get',
  path: '/tasks/{id}/explain',
  tag: 'tasks',
  summary: 'Why is it not running?',
  description:
    'One sentence, a stable reason, and fields; of a task that runs or is final, that. Of several reasons the decisive one comes first, the others are in `also`. Answered also while no master leads.',
  parameters: { id: taskId },
  answers: { 200: { description: 'As it is at the moment.', content: json('Explanation') } },
  problems: ['task-not-found', 'coordination-unavailable'],
  example: {
    path: '/tasks/task-0000000042/explain',
    status: 200,
    answer: {
      id: 'task-0000000042',
      state: 'queued',
      reason: 'queue_concurrency',
      message:
        'Queue mail may run 5 tasks at a time, and does, and 3 of its queue and type go first: it starts when one of them ends, or when the limit is raised.',
      since: '2026-01-31T09:30:00.000Z',
      until: null,
      worker: null,
      tasks: [],
      type: 'echo',
      queue: 'mail',
      workers: 2,
      limit: 5,
      position: 3,
      leader: '127.0.0.1:3000',
      also: [],
    },
  },
  handle:
    ({ api }) =>
    async ({ parameters }, response) => {
      sendJson(response, 200, explanationJson(await api.explain(parameters.id)));
    },
});
