// The HTTP face of the task API: from request to TaskApi and back. Nothing is decided here but how things look in HTTP.

import type { Request, RequestHandler, Response } from 'express';
import type { TaskView } from '../../domain/task-view.ts';
import { parseIdempotencyKeyHeader } from '../api/idempotency-key.ts';
import { parseSubmit } from '../api/request-parsing.ts';
import type { TaskApi } from '../api/task-api.ts';
import { parseTaskId } from '../api/task-id.ts';
import { parseWait } from '../api/wait-time.ts';
import { parsedBody } from './json-body.ts';
import { preferredWaitMs, waitApplied } from './prefer-header.ts';
import { queryParameters } from './query-parameters.ts';
import { taskJson } from './task-json.ts';

/** POST /tasks; the body has been read by jsonBody. */
export function submitTask(api: TaskApi): RequestHandler {
  return async (request, response) => {
    const waiting = requestedWait(request);
    const headerKey = parseIdempotencyKeyHeader(request.headersDistinct['idempotency-key'] ?? []);
    const { spec, idempotencyKey, fingerprint } = parseSubmit(parsedBody(request), headerKey, Date.now());
    const signal = callerSignal(response);
    const { task, created } = await api.submit(spec, { idempotencyKey, fingerprint, waitMs: waiting.waitMs, signal });
    if (created) response.status(201).location(`/tasks/${task.id}`);
    sendTask(response, task, waiting);
  };
}

/** GET /tasks/:id */
export function getTask(api: TaskApi): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const id = parseTaskId(request.params.id);
    const waiting = requestedWait(request);
    const task = await api.get(id, { waitMs: waiting.waitMs, signal: callerSignal(response) });
    sendTask(response, task, waiting);
  };
}

interface RequestedWait {
  readonly waitMs: number;
  /** True where it came as a preference, which is answered when it is honoured. */
  readonly preferred: boolean;
}

/** The query parameter, being explicit, counts before the preference. */
function requestedWait(request: Request<{ id?: string }>): RequestedWait {
  const { wait } = queryParameters(request, ['wait']);
  if (wait !== undefined) return { waitMs: parseWait(wait), preferred: false };
  const preferred = preferredWaitMs(request.get('Prefer'));
  return { waitMs: preferred ?? 0, preferred: preferred !== null };
}

/** Aborts when the connection is gone, and after the answer. */
function callerSignal(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}

function sendTask(response: Response, task: TaskView, { waitMs, preferred }: RequestedWait): void {
  if (preferred) response.set('Preference-Applied', waitApplied(waitMs));
  response.set('Cache-Control', 'no-store').json(taskJson(task));
}
