// The traffic's calls over HTTP.

import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';
import type { Answer } from '../../test/support/faces.ts';
import { serverSentEvents } from '../../test/support/http-face.ts';
import type { SeenTask } from '../record.ts';
import { type CallOptions, type Face, type StreamOptions, waitOf } from './face.ts';
import { type Exchange, exchange } from './http-exchange.ts';
import { httpRequestOf } from './http-request.ts';
import type { Reply } from './outcome.ts';
import type { TrafficRequest } from './request.ts';

export function httpFace(scope: TestScope, url: string): Face {
  const agent = new Agent({ keepAlive: true });
  onCleanup(scope, () => agent.destroy());
  return {
    name: 'http',
    call: async (request, { timeoutMs, signal, isOtherWay }: CallOptions) => {
      const options = { agent, timeoutMs: timeoutMs + waitOf(request), signal };
      return replyOf(request, await exchange(url, httpRequestOf(request, isOtherWay), options));
    },
    watch: (id, options) => watch(new URL(`/tasks/${encodeURIComponent(id)}/events`, url), options),
  };
}

/** Statuses that say that it was done, by operation; 200 where nothing is said. The second says that it had been done before. */
const successes: Readonly<Record<string, readonly number[]>> = {
  submit: [201, 200],
  retry: [201, 200],
  cancel: [202],
  delete: [204],
  'put-schedule': [201, 200],
  'delete-schedule': [204],
};

function replyOf(request: TrafficRequest, end: Exchange): Reply {
  if (end.kind === 'none') return end;
  const body = parsed(end.body);
  const { status } = end;
  if (body === undefined) return { kind: 'nonsense', what: `${status} with a body that is no JSON` };
  const known = successes[request.operation === 'other' ? request.what : request.operation] ?? [200];
  if (known.includes(status)) return answerOf(request, status, body);
  return refusalOf(status, body);
}

function answerOf(request: TrafficRequest, status: number, body: Answer): Reply {
  const created = { created: status === 201 };
  if (request.operation === 'delete') return { kind: 'answer', tasks: [] };
  if (request.operation === 'other') {
    return request.what === 'list' ? pageOf(body) : { kind: 'answer', tasks: [] };
  }
  const tasks = request.operation === 'submit' && request.batch ? body?.tasks : [body];
  if (!Array.isArray(tasks) || tasks.some((task) => typeof task?.id !== 'string')) {
    return { kind: 'nonsense', what: `${status} without its task` };
  }
  const isNew = request.operation === 'submit' || request.operation === 'retry';
  return { kind: 'answer', tasks: tasks.map(seenTask), ...(isNew && created) };
}

function pageOf({ tasks, nextCursor }: Answer): Reply {
  return { kind: 'answer', tasks: tasks.map(seenTask), ...(nextCursor && { nextCursor }) };
}

function refusalOf(status: number, problem: Answer): Reply {
  const reason = typeof problem?.type === 'string' ? problem.type.split('/').at(-1) : null;
  return reason ? { kind: 'refusal', reason } : { kind: 'nonsense', what: `${status} without a problem` };
}

export function seenTask({ id, state, attempt, worker, error, finishedAt }: Answer): SeenTask {
  return { id, state, attempt, worker, errorCode: error?.code ?? null, finishedAt };
}

function parsed(body: string): Answer {
  try {
    return body === '' ? null : JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function watch(url: URL, { signal, lastEventId, onChange }: StreamOptions): Promise<Reply> {
  const headers = lastEventId === null ? {} : { 'last-event-id': lastEventId };
  try {
    const response = await open(url, headers, signal);
    if (response.status === 204) return { kind: 'answer', tasks: [] };
    if (response.status !== 200) return refusalOf(response.status, parsed(await response.text()));
    for await (const { name, id, data } of serverSentEvents(response)) {
      const change = name === 'reset' ? null : { eventId: id, task: seenTask(JSON.parse(data)) };
      if (!onChange(change)) return { kind: 'none', mayBeSent: true, why: 'left' };
    }
    return { kind: 'answer', tasks: [] };
  } catch (error) {
    return { kind: 'none', mayBeSent: true, why: (error as Error).message };
  }
}

/** Over a connection of its own, which ends with it. */
async function open(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  const sending = httpRequest(url, { agent: false, headers, signal }).end();
  const [message] = (await once(sending, 'response')) as [IncomingMessage];
  sending.on('error', () => undefined); // whoever reads is told
  const status = message.statusCode ?? 0;
  return new Response(status === 204 ? null : (Readable.toWeb(message) as ReadableStream), { status });
}
