// The traffic's requests as HTTP has them (docs/api.md). What can be said in two ways is said in one or the other. Pure.

import { type OtherRequest, type SubmitRequest, specOfTask, type TrafficRequest } from './request.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** `isOtherWay`: the key in the body, the wait as a preference. */
export function httpRequestOf(request: TrafficRequest, isOtherWay: boolean): HttpRequest {
  switch (request.operation) {
    case 'submit':
      return submitOf(request, isOtherWay);
    case 'get':
      return { method: 'GET', ...waiting(pathOf(request.id), request.waitMs, isOtherWay) };
    case 'retry':
      return { method: 'POST', path: `${pathOf(request.id)}/retry`, headers: keyHeader(request.key) };
    case 'cancel':
      return { method: 'POST', path: `${pathOf(request.id)}/cancel`, headers: {}, body: { reason: 'chaos' } };
    case 'delete':
      return { method: 'DELETE', path: pathOf(request.id), headers: {} };
    case 'watch':
      return { method: 'GET', path: `${pathOf(request.id)}/events`, headers: {} };
    case 'other':
      return otherOf(request);
  }
}

function pathOf(id: string): string {
  return `/tasks/${encodeURIComponent(id)}`;
}

function submitOf({ key, tasks, batch, waitMs }: SubmitRequest, isOtherWay: boolean): HttpRequest {
  const specs = tasks.map(specOfTask);
  const inBody = isOtherWay && key !== null && { idempotencyKey: key };
  const body = batch ? { tasks: specs, ...inBody } : { ...specs[0], ...inBody };
  const { path, headers } = batch ? { path: '/tasks/batch', headers: {} } : waiting('/tasks', waitMs, isOtherWay);
  return { method: 'POST', path, headers: { ...headers, ...keyHeader(isOtherWay ? null : key) }, body };
}

function keyHeader(key: string | null): Record<string, string> {
  return key === null ? {} : { 'idempotency-key': key };
}

/** A preference is in whole seconds. */
function waiting(path: string, waitMs: number | null, isPreference: boolean): Pick<HttpRequest, 'path' | 'headers'> {
  if (waitMs === null) return { path, headers: {} };
  if (isPreference) return { path, headers: { prefer: `wait=${Math.ceil(waitMs / 1000)}` } };
  return { path: `${path}?wait=${waitMs}ms`, headers: {} };
}

function otherOf(request: OtherRequest): HttpRequest {
  switch (request.what) {
    case 'list':
      return { method: 'GET', path: `/tasks?${new URLSearchParams({ ...request.query } as never)}`, headers: {} };
    case 'explain':
      return { method: 'GET', path: `${pathOf(request.id)}/explain`, headers: {} };
    case 'put-queue':
      return { method: 'PUT', path: `/queues/${request.name}`, headers: {}, body: request.settings };
    case 'put-schedule':
      return { method: 'PUT', path: `/schedules/${request.name}`, headers: {}, body: request.definition };
    case 'delete-schedule':
      return { method: 'DELETE', path: `/schedules/${request.name}`, headers: {} };
    default:
      return { method: 'GET', path: `/${request.what}`, headers: {} };
  }
}
