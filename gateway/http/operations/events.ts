// Server-sent events: of one task, and of all.

import { limits } from '../../../domain/limits.ts';
import type { TaskEvent } from '../../../domain/master-index.ts';
import type { EventChange } from '../../api/event-hub.ts';
import { formatRfc3339 } from '../../api/rfc3339.ts';
import type { StreamOptions } from '../../api/task-api.ts';
import type { TaskChange } from '../../api/task-stream.ts';
import { sendNothing } from '../json-answer.ts';
import { type CheckedRequest, operation, type Schema } from '../operation.ts';
import { type ComponentName, component } from '../schemas.ts';
import { openEvents, type ServerSentEvent, sendEvents } from '../server-sent-events.ts';
import { taskJson } from '../task-json.ts';
import { lastEventId, taskId } from '../task-parameters.ts';
import { runningTask, taskEvent } from './examples.ts';
import { readProblems } from './task-answers.ts';

/** `data` of each `event: task` is one line of JSON. */
function stream(data: ComponentName): Record<string, Schema> {
  const schema = { type: 'string', contentMediaType: 'text/event-stream', contentSchema: component(data) } as const;
  return { 'text/event-stream': schema };
}

const heartbeat = `A comment line every ${limits.eventHeartbeatMs / 1000} seconds when nothing else is sent.`;
const reset = '`event: reset` says that events may be missing there.';

export const watchTask = operation({
  operationId: 'watchTask',
  method: 'get',
  path: '/tasks/{id}/events',
  tag: 'events',
  summary: 'Follow a task',
  description: `Begins with the present state, or after \`Last-Event-ID\`, and ends after the final one. \`event: task\`, \`data\` a Task. ${reset} ${heartbeat}`,
  parameters: { id: taskId, lastEventId },
  answers: {
    200: { description: 'The stream.', content: stream('Task') },
    204: { description: 'The client has seen the final state already.' },
  },
  problems: [...readProblems, 'too-many-waits'],
  example: {
    path: '/tasks/task-0000000042/events',
    status: 200,
    answer: `event: task\nid: 1-running-1769851800012\ndata: ${JSON.stringify(runningTask)}\n\n`,
  },
  handle: (services) => async (request, response) => {
    if (request.isHead) {
      await services.api.get(request.parameters.id, { waitMs: 0, signal: request.signal });
      openEvents(response).end();
      return;
    }
    const changes = await services.api.watchTask(request.parameters.id, streamOptions(request));
    if (changes === null) {
      sendNothing(response, 204);
      return;
    }
    const render = (change: TaskChange): ServerSentEvent =>
      change.kind === 'reset' ? 'reset' : { id: change.eventId, data: taskJson(change.task) };
    await sendEvents(response, changes, render, services);
  },
});

export const watchEvents = operation({
  operationId: 'watchEvents',
  method: 'get',
  path: '/events',
  tag: 'events',
  summary: 'Follow all tasks',
  description: `State changes from now on, or after \`Last-Event-ID\`. \`event: task\`, \`data\` a TaskEvent. ${reset} ${heartbeat}`,
  parameters: { lastEventId },
  answers: { 200: { description: 'The stream.', content: stream('TaskEvent') } },
  problems: ['no-leader', 'too-many-waits'],
  example: {
    path: '/events',
    headers: { 'Last-Event-ID': '7-41' },
    status: 200,
    answer: `event: task\nid: 7-42\ndata: ${JSON.stringify(taskEvent)}\n\n`,
  },
  handle: (services) => async (request, response) => {
    if (request.isHead) {
      openEvents(response).end();
      return;
    }
    const changes = await services.api.watchEvents(streamOptions(request));
    const render = (change: EventChange): ServerSentEvent =>
      change.kind === 'reset' ? 'reset' : { id: change.eventId, data: eventJson(change.event) };
    await sendEvents(response, changes, render, services);
  },
});

function streamOptions({ parameters, signal }: CheckedRequest<{ lastEventId: string | null }>): StreamOptions {
  return { lastEventId: parameters.lastEventId, signal };
}

function eventJson({ id, type, queue, state, attempt, worker, at }: TaskEvent): object {
  return { id, type, queue, state, attempt, worker, at: formatRfc3339(at) };
}
