// The queries of the index's paths (domain/master-index.ts). They come from our own gateways; what does not fit is refused as a
// whole, so that a mistake is seen and not answered with another list than was asked for.

import { limits } from '../../domain/limits.ts';
import { type ListPosition, parsePosition, type TaskFilter } from '../../domain/master-index.ts';
import { type TaskId, taskStates } from '../../domain/task.ts';
import { parseTaskId } from '../../domain/task-id.ts';

export interface TasksQuery {
  readonly filter: TaskFilter;
  readonly limit: number;
  readonly after: ListPosition | null;
}

/** The query does not fit; the message says what. */
export class BadQuery extends Error {
  override readonly name = 'BadQuery';
}

const eventIdCharactersMax = 100;

export function parseTasksQuery(query: URLSearchParams): TasksQuery {
  allowOnly(query, ['state', 'type', 'queue', 'worker', 'schedule', 'label', 'limit', 'after']);
  const state = single(query, 'state');
  const known = taskStates.find((candidate) => candidate === state) ?? null;
  if (state !== null && known === null) throw new BadQuery('state is none that a task has');
  const filter = { state: known, type: single(query, 'type'), queue: single(query, 'queue') };
  const labels = query.getAll('label').map(parseLabel);
  if (labels.length > limits.labelsMax) throw new BadQuery(`label is given more than ${limits.labelsMax} times`);
  return {
    filter: { ...filter, worker: single(query, 'worker'), schedule: single(query, 'schedule'), labels },
    limit: parseLimit(single(query, 'limit')),
    after: parseAfter(single(query, 'after')),
  };
}

/** The id of the last event that the reader knows. */
export function parseEventsQuery(query: URLSearchParams): string | null {
  allowOnly(query, ['after']);
  const after = single(query, 'after');
  if (after !== null && after.length > eventIdCharactersMax) throw new BadQuery('after is no id of an event');
  return after;
}

/** The task that is to be explained. */
export function parseExplainQuery(query: URLSearchParams): TaskId {
  allowOnly(query, ['task']);
  const task = parseTaskId(single(query, 'task') ?? '');
  if (!task) throw new BadQuery('task is the id of none');
  return task;
}

export function allowOnly(query: URLSearchParams, names: readonly string[]): void {
  for (const name of query.keys()) if (!names.includes(name)) throw new BadQuery(`${name} is no parameter`);
}

function single(query: URLSearchParams, name: string): string | null {
  const values = query.getAll(name);
  if (values.length > 1) throw new BadQuery(`${name} is given more than once`);
  return values[0] ?? null;
}

function parseLabel(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new BadQuery('label is not key:value');
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function parseLimit(text: string | null): number {
  if (text === null) return limits.listLimitDefault;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > limits.listLimitMax) throw new BadQuery(`limit is not from 1 to ${limits.listLimitMax}`);
  return limit;
}

function parseAfter(text: string | null): ListPosition | null {
  const after = text === null ? null : parsePosition(text);
  if (text !== null && after === null) throw new BadQuery('after is no position');
  return after;
}
