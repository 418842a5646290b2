// The traffic's calls over gRPC.

import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { TestScope } from '../../test/support/cleanup.ts';
import type { Answer } from '../../test/support/faces.ts';
import { detailsOf } from '../../test/support/grpc-details.ts';
import { taskOf, taskServiceClient } from '../../test/support/grpc-face.ts';
import { type CallOptions, type Face, type StreamOptions, waitOf } from './face.ts';
import { grpcRequestOf } from './grpc-request.ts';
import { seenTask } from './http-face.ts';
import type { Reply } from './outcome.ts';
import type { TrafficRequest } from './request.ts';

/** Nothing is repeated behind our back, and a gateway that is there again is soon found. */
const channelOptions = {
  'grpc.enable_retries': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
};

export function grpcFace(scope: TestScope, address: string): Face {
  const client = taskServiceClient(scope, address, channelOptions) as Answer;
  return {
    name: 'grpc',
    call: (request, { timeoutMs, signal }: CallOptions) =>
      new Promise((resolve) => {
        const { method, message } = grpcRequestOf(request);
        const deadline = Date.now() + timeoutMs + waitOf(request);
        const call = client[method](message, { deadline }, (error: ServiceError | null, response: Answer) => {
          signal.removeEventListener('abort', leave);
          resolve(error ? failureReply(error) : answerOf(request, response));
        });
        const leave = () => call.cancel();
        signal.addEventListener('abort', leave, { once: true });
        if (signal.aborted) leave();
      }),
    watch: (id, options) => watch(client.WatchTask({ id, last_event_id: options.lastEventId ?? '' }), options),
  };
}

function answerOf(request: TrafficRequest, response: Answer): Reply {
  if (request.operation === 'delete') return { kind: 'answer', tasks: [] };
  const { task, tasks, created = false, next_cursor: nextCursor } = response;
  if (request.operation === 'other') {
    if (request.what !== 'list') return { kind: 'answer', tasks: [] };
    return { kind: 'answer', tasks: (tasks ?? []).map(ofMessage), ...(nextCursor && { nextCursor }) };
  }
  const messages = request.operation === 'submit' && request.batch ? (tasks ?? []) : [task];
  if (messages.some((message: Answer) => !message?.id)) return { kind: 'nonsense', what: 'an answer without its task' };
  const isNew = request.operation === 'submit' || request.operation === 'retry';
  return { kind: 'answer', tasks: messages.map(ofMessage), ...(isNew && { created }) };
}

function ofMessage(message: Answer) {
  return seenTask(taskOf(message));
}

/**
 * Errors that no gateway has sent are those of grpc-js itself, from a connection that broke or never came about. It has codes of the server
 * for some of them; what it says about them tells them apart.
 */
export function failureReply(error: ServiceError): Reply {
  const { ErrorInfo } = detailsOf(error);
  if (ErrorInfo) return { kind: 'refusal', reason: ErrorInfo.reason };
  const why = `${status[error.code]}: ${error.details}`;
  if (notTaken.test(error.details)) return { kind: 'none', mayBeSent: false, why };
  const isOfConnection = error.details.startsWith('Received RST_STREAM') || connectionCodes.includes(error.code);
  return isOfConnection ? { kind: 'none', mayBeSent: true, why } : { kind: 'nonsense', what: why };
}

/** The last one is the server's word that no method has heard of it (RFC 9113, section 8.7). */
const notTaken = /^(No connection established|Failed to start HTTP\/2 stream|Stream refused by server)/;

const connectionCodes: readonly status[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED];

function watch(stream: ClientReadableStream<Answer>, { signal, onChange }: StreamOptions): Promise<Reply> {
  return new Promise((resolve) => {
    const leave = () => stream.cancel();
    const settle = (reply: Reply) => {
      signal.removeEventListener('abort', leave);
      resolve(reply);
    };
    stream.on('data', ({ event_id: eventId, task }: Answer) => {
      if (!onChange(task ? { eventId, task: ofMessage(task) } : null)) leave();
    });
    stream.on('error', (error) => settle(failureReply(error as ServiceError)));
    stream.on('end', () => settle({ kind: 'answer', tasks: [] }));
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
}
