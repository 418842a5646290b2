// The two streams of the gRPC face. A stream that the gateway itself ends says so, so that its client goes on elsewhere.

import { ServiceError } from '../../domain/errors.ts';
import type { EventChange } from '../api/event-hub.ts';
import type { TaskApi } from '../api/task-api.ts';
import { parseTaskId } from '../api/task-id.ts';
import type { TaskChange } from '../api/task-stream.ts';
import type { TaskAnswer } from './grpc-answers.ts';
import type { StreamedAnswer } from './grpc-calls.ts';
import { eventMessage } from './grpc-system.ts';

export interface WatchTaskMessage {
  readonly id?: string;
  readonly last_event_id?: string;
}

export interface WatchEventsMessage {
  readonly last_event_id?: string;
}

export function watchTask(api: TaskApi, answerOf: TaskAnswer): StreamedAnswer<WatchTaskMessage> {
  return async ({ id = '', last_event_id }, signal, stream) => {
    const task = parseTaskId(id);
    requireServing(api);
    const changes = await api.watchTask(task, { lastEventId: last_event_id || null, signal });
    if (changes === null) return;
    stream.open();
    let isFinal = false;
    for await (const change of changes) {
      await stream.send(taskChangeMessage(change, answerOf));
      isFinal = change.kind === 'task' && change.task.finishedAt !== null;
    }
    if (!isFinal) requireServing(api);
  };
}

export function watchEvents(api: TaskApi): StreamedAnswer<WatchEventsMessage> {
  return async ({ last_event_id }, signal, stream) => {
    requireServing(api);
    const changes = await api.watchEvents({ lastEventId: last_event_id || null, signal });
    stream.open();
    for await (const change of changes) await stream.send(eventChangeMessage(change));
    requireServing(api);
  };
}

function taskChangeMessage(change: TaskChange, answerOf: TaskAnswer): object {
  if (change.kind === 'reset') return { reset: {} };
  return answerOf('WatchTask', change.task, { event_id: change.eventId });
}

function eventChangeMessage(change: EventChange): object {
  if (change.kind === 'reset') return { reset: {} };
  return { event_id: change.eventId, event: eventMessage(change.event) };
}

function requireServing(api: TaskApi): void {
  if (!api.isDraining) return;
  throw new ServiceError('shutting-down', 'This gateway is shutting down; watch again on a new connection.');
}
