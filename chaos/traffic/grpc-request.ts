// The traffic's requests as gRPC has them: a method and its message, named as in the .proto. Pure.

import { durationOf, enumOf, scheduleSpecOf, specOf, updateOf } from '../../test/support/grpc-face.ts';
import { type OtherRequest, type SubmitRequest, specOfTask, type TrafficRequest } from './request.ts';

export interface GrpcRequest {
  readonly method: string;
  readonly message: object;
}

export function grpcRequestOf(request: TrafficRequest): GrpcRequest {
  switch (request.operation) {
    case 'submit':
      return submitOf(request);
    case 'get':
      return { method: 'GetTask', message: { id: request.id, ...waiting(request.waitMs) } };
    case 'retry':
      return { method: 'RetryTask', message: { id: request.id, idempotency_key: request.key ?? '' } };
    case 'cancel':
      return { method: 'CancelTask', message: { id: request.id, reason: 'chaos' } };
    case 'delete':
      return { method: 'DeleteTask', message: { id: request.id } };
    case 'watch':
      return { method: 'WatchTask', message: { id: request.id } };
    case 'other':
      return otherOf(request);
  }
}

function submitOf({ key, tasks, batch, waitMs }: SubmitRequest): GrpcRequest {
  const specs = tasks.map((task) => specOf(specOfTask(task)));
  const idempotencyKey = { idempotency_key: key ?? '' };
  if (batch) return { method: 'SubmitTasks', message: { specs, ...idempotencyKey } };
  return { method: 'SubmitTask', message: { spec: specs[0], ...idempotencyKey, ...waiting(waitMs) } };
}

function waiting(waitMs: number | null): object {
  return waitMs === null ? {} : { wait: durationOf(waitMs) };
}

function otherOf(request: OtherRequest): GrpcRequest {
  switch (request.what) {
    case 'list': {
      const { state, ...query } = request.query;
      return { method: 'ListTasks', message: { ...query, ...(state && { state: enumOf(state) }) } };
    }
    case 'stats':
      return { method: 'GetStats', message: {} };
    case 'workers':
      return { method: 'ListWorkers', message: {} };
    case 'queues':
      return { method: 'ListQueues', message: {} };
    case 'schedules':
      return { method: 'ListSchedules', message: {} };
    case 'explain':
      return { method: 'ExplainTask', message: { id: request.id } };
    case 'put-queue':
      return { method: 'UpdateQueue', message: { name: request.name, ...updateOf(request.settings) } };
    case 'put-schedule':
      return { method: 'PutSchedule', message: { name: request.name, spec: scheduleSpecOf(request.definition) } };
    case 'delete-schedule':
      return { method: 'DeleteSchedule', message: { name: request.name } };
  }
}
