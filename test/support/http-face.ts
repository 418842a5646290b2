// The HTTP face for tests: fetch, JSON, and server-sent events read line by line.

import type { Answer, Face, ListQuery, Outcome, WatchOptions } from './faces.ts';

export function httpFace(url: string): Face {
  const call = async (method: string, path: string, options: CallOptions = {}): Promise<Outcome> => {
    const { body, key, read = (answer) => answer } = options;
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(90_000),
    });
    const answer = JSON.parse((await response.text()) || '{}');
    return response.ok
      ? { kind: 'answer', answer: read(answer, response.status) }
      : refusalOf(answer, response.headers);
  };
  const wait = (ms: number | undefined) => (ms === undefined ? '' : `?wait=${ms}ms`);
  const task = (id: string) => `/tasks/${encodeURIComponent(id)}`;
  const schedule = (name: string) => `/schedules/${encodeURIComponent(name)}`;
  const read = (answer: Answer, status: number) => ({ task: answer, created: status === 201 });
  const readMany = (answer: Answer, status: number) => ({ ...answer, created: status === 201 });
  return {
    name: 'HTTP',
    submit: (body, { key, waitMs } = {}) => call('POST', `/tasks${wait(waitMs)}`, { body, key, read }),
    submitMany: (tasks, key) => call('POST', '/tasks/batch', { body: { tasks }, key, read: readMany }),
    get: (id, waitMs) => call('GET', task(id) + wait(waitMs)),
    explain: (id) => call('GET', `${task(id)}/explain`),
    cancel: (id, reason) => call('POST', `${task(id)}/cancel`, { body: reason === undefined ? undefined : { reason } }),
    retry: (id, key) => call('POST', `${task(id)}/retry`, { key, read }),
    remove: (id) => call('DELETE', task(id)),
    list: (query) => call('GET', `/tasks${queryOf(query)}`),
    workers: () => call('GET', '/workers'),
    queues: () => call('GET', '/queues'),
    queue: (name) => call('GET', `/queues/${encodeURIComponent(name)}`),
    updateQueue: (name, body) => call('PUT', `/queues/${encodeURIComponent(name)}`, { body }),
    stats: () => call('GET', '/stats'),
    putSchedule: (name, body) =>
      call('PUT', schedule(name), { body, read: (answer, status) => ({ schedule: answer, created: status === 201 }) }),
    schedules: (cursor) => call('GET', `/schedules${cursor === undefined ? '' : `?cursor=${cursor}`}`),
    schedule: (verb, name) => call(verb.toUpperCase(), schedule(name)),
    setPaused: (name, paused) => call('POST', `${schedule(name)}/${paused ? 'pause' : 'resume'}`),
    runSchedule: (name, key) => call('POST', `${schedule(name)}/run`, { key, read }),
    watchTask: (id, lastEventId) => events(`${url}${task(id)}/events`, { lastEventId }, 'task', () => false),
    watchEvents: (enough, options = {}) => events(`${url}/events`, options, 'event', enough),
  };
}

interface CallOptions {
  readonly body?: unknown;
  readonly key?: string | undefined;
  readonly read?: (answer: Answer, status: number) => Answer;
}

function refusalOf(problem: Answer, headers: Headers): Outcome {
  const places = ((problem.errors ?? []) as { pointer: string }[]).map(({ pointer }) => pointer).sort();
  return { kind: 'refusal', reason: problem.type.split('/').at(-1), places, retry: headers.has('retry-after') };
}

function queryOf({ labels = {}, ...rest }: ListQuery): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest)) query.append(name, String(value));
  for (const [key, value] of Object.entries(labels)) query.append('label', `${key}:${value}`);
  return query.size === 0 ? '' : `?${query}`;
}

async function events(
  url: string,
  { lastEventId, onOpen }: WatchOptions,
  what: 'task' | 'event',
  enough: (seen: readonly Answer[]) => boolean,
): Promise<Outcome> {
  const stop = new AbortController();
  const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await fetch(url, { headers, signal: AbortSignal.any([stop.signal, AbortSignal.timeout(90_000)]) });
  if (!response.ok) return refusalOf(await response.json(), response.headers);
  onOpen?.();
  const seen: Answer[] = [];
  if (response.status === 204) return { kind: 'answer', answer: seen };
  for await (const event of serverSentEvents(response)) {
    seen.push(event.name === 'reset' ? { reset: true } : { eventId: event.id, [what]: JSON.parse(event.data) });
    if (enough(seen)) break;
  }
  stop.abort();
  return { kind: 'answer', answer: seen };
}

export interface ServerSentEvent {
  readonly name: string;
  readonly id: string;
  readonly data: string;
}

/** The events of a stream as https://html.spec.whatwg.org/multipage/server-sent-events.html reads them; no comments. */
export async function* serverSentEvents(response: Response): AsyncIterable<ServerSentEvent> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = block.split('\n').filter((line) => !line.startsWith(':'));
      const field = (name: string) => fields.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
      if (fields.length > 0) yield { name: field('event'), id: field('id'), data: field('data') };
    }
  }
}
