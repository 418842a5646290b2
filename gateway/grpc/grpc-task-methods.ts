// The gRPC face of the task API: from call to TaskApi and back. Nothing is decided here but how things look in gRPC.

import { type handleUnaryCall, type ServerUnaryCall, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { ServiceError } from '../../domain/errors.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { TaskApi } from '../api/task-api.ts';
import { parseTaskId } from '../api/task-id.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { InProgress } from '../in-progress.ts';
import { reportUnexpected } from '../unexpected-error.ts';
import { grpcStatusOf } from './grpc-error.ts';
import type { UnreadableMessage } from './grpc-protocol.ts';
import { type GetTaskMessage, readable, type SubmitTaskMessage, submitOf, waitMsOf } from './grpc-requests.ts';
import { taskMessage } from './grpc-task.ts';

export interface GrpcServices {
  /** Counts the calls, for a shutdown to wait for. */
  readonly answering: InProgress;
  readonly api: TaskApi;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
}

/** Answers one call; `signal` aborts when its deadline passes or its caller is gone. */
type Answer<Message> = (message: Message, signal: AbortSignal) => Promise<object>;

export function taskMethods(services: GrpcServices): UntypedServiceImplementation {
  const { api } = services;
  return {
    SubmitTask: unary<SubmitTaskMessage>('SubmitTask', services, async (message, signal) => {
      const waitMs = waitMsOf(message.wait);
      const { spec, idempotencyKey, fingerprint } = submitOf(message, Date.now());
      const { task, created } = await api.submit(spec, { idempotencyKey, fingerprint, waitMs, signal });
      return { task: taskMessage(task), created };
    }),
    GetTask: unary<GetTaskMessage>('GetTask', services, async (message, signal) => {
      const id = parseTaskId(message.id ?? '');
      const task = await api.get(id, { waitMs: waitMsOf(message.wait), signal });
      return { task: taskMessage(task) };
    }),
  };
}

function unary<Message extends object>(
  name: string,
  { metrics, log, answering }: GrpcServices,
  answer: Answer<Message>,
): handleUnaryCall<Message | UnreadableMessage, object> {
  return (call, callback) => {
    const startedAt = monotonicMs();
    const done = (code: status) => {
      answering.end();
      metrics.observeGrpc(name, status[code], (monotonicMs() - startedAt) / 1000);
    };
    answering.begin();
    const answered = async () => answer(readable(call.request), callSignal(call));
    answered().then(
      (response) => {
        done(call.cancelled ? status.CANCELLED : status.OK);
        callback(null, response);
      },
      (error: unknown) => {
        const failure = grpcStatusOf(error instanceof ServiceError ? error : reportUnexpected(error, log));
        done(failure.code);
        callback(failure);
      },
    );
  };
}

function callSignal(call: ServerUnaryCall<unknown, unknown>): AbortSignal {
  const controller = new AbortController();
  call.once('cancelled', () => controller.abort());
  if (call.cancelled) controller.abort();
  return controller.signal;
}
