// The gRPC face of the task API: from call to TaskApi and back. Nothing is decided here but how things look in gRPC.

import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { ScheduleApi } from '../api/schedule-api.ts';
import type { TaskApi } from '../api/task-api.ts';
import { parseTaskId } from '../api/task-id.ts';
import { aboutField, withFieldPaths } from './field-paths.ts';
import { batchAnswers, listAnswers, type TaskAnswer, taskAnswers } from './grpc-answers.ts';
import { type Answer, type CallServices, serverStream, unary } from './grpc-calls.ts';
import { explanationMessage } from './grpc-explanation.ts';
import { type ListTasksMessage, listOf } from './grpc-list-request.ts';
import { queueNameOf, queueUpdateOf, type UpdateQueueMessage } from './grpc-queue-request.ts';
import {
  batchOf,
  type CancelTaskMessage,
  type GetTaskMessage,
  keyOf,
  pathsOfBatch,
  pathsOfSubmit,
  type RetryTaskMessage,
  reasonOf,
  type SubmitTaskMessage,
  type SubmitTasksMessage,
  submitOf,
  waitMsOf,
} from './grpc-requests.ts';
import { scheduleMethods } from './grpc-schedule-methods.ts';
import { watchEvents, watchTask } from './grpc-streams.ts';
import { queueMessage, queueSettingsMessage, statsMessage, workerMessage } from './grpc-system.ts';

export interface GrpcServices extends CallServices {
  readonly api: TaskApi;
  readonly schedules: ScheduleApi;
}

export function taskMethods(protocol: PackageDefinition, services: GrpcServices): UntypedServiceImplementation {
  const { api } = services;
  const answerOf = taskAnswers(protocol);
  const unaryMethods: Readonly<Record<string, Answer<never>>> = {
    ...submitMethods(api, answerOf),
    ...taskVerbs(api, answerOf),
    ...listMethods(api, protocol),
    ...systemMethods(api),
    ...scheduleMethods(services.schedules, protocol, answerOf),
    SubmitTasks: submitTasks(api, protocol),
  };
  return {
    ...Object.fromEntries(Object.entries(unaryMethods).map(([name, answer]) => [name, unary(name, services, answer)])),
    WatchTask: serverStream('WatchTask', services, watchTask(api, answerOf)),
    WatchEvents: serverStream('WatchEvents', services, watchEvents(api)),
  };
}

function submitMethods(api: TaskApi, answerOf: TaskAnswer) {
  return {
    SubmitTask: async (message: SubmitTaskMessage, signal: AbortSignal) => {
      const waitMs = waitMsOf(message.wait);
      const { spec, idempotencyKey, fingerprint } = await submitOf(message, Date.now());
      const options = { idempotencyKey, fingerprint, waitMs, signal };
      const { task, created } = await withFieldPaths(pathsOfSubmit(message), () => api.submit(spec, options));
      return answerOf('SubmitTask', task, { created });
    },
    RetryTask: async ({ id = '', idempotency_key }: RetryTaskMessage) => {
      const { task, created } = await api.retry(parseTaskId(id), await keyOf(idempotency_key));
      return answerOf('RetryTask', task, { created });
    },
  };
}

function submitTasks(api: TaskApi, protocol: PackageDefinition) {
  const answerOf = batchAnswers(protocol);
  return async (message: SubmitTasksMessage) => {
    const { specs, ...options } = await batchOf(message, Date.now());
    return answerOf(await withFieldPaths(pathsOfBatch(message), () => api.submitBatch(specs, options)));
  };
}

function taskVerbs(api: TaskApi, answerOf: TaskAnswer) {
  return {
    GetTask: async ({ id = '', wait }: GetTaskMessage, signal: AbortSignal) => {
      const waitMs = waitMsOf(wait);
      return answerOf('GetTask', await api.get(parseTaskId(id), { waitMs, signal }));
    },
    CancelTask: async (message: CancelTaskMessage) => {
      const reason = await reasonOf(message);
      return answerOf('CancelTask', await api.cancel(parseTaskId(message.id ?? ''), reason));
    },
    ExplainTask: async ({ id = '' }: { readonly id?: string }) =>
      explanationMessage(await api.explain(parseTaskId(id))),
    DeleteTask: async ({ id = '' }: { readonly id?: string }) => {
      await api.remove(parseTaskId(id));
      return {};
    },
  };
}

function listMethods(api: TaskApi, protocol: PackageDefinition) {
  const answers = listAnswers(protocol);
  return {
    ListTasks: async (message: ListTasksMessage) => {
      const answer = answers();
      const options = { ...listOf(message), size: answer.size };
      return answer.of(await aboutField('cursor', () => api.list(options)));
    },
  };
}

function systemMethods(api: TaskApi) {
  return {
    ListWorkers: async () => ({ workers: (await api.workers()).map(workerMessage) }),
    ListQueues: async () => ({ queues: (await api.queues()).map(queueMessage) }),
    GetStats: async () => statsMessage(await api.stats()),
    GetQueue: async (message: Pick<UpdateQueueMessage, 'name'>) => {
      const name = await queueNameOf(message);
      return { name, settings: queueSettingsMessage(await api.queue(name)) };
    },
    UpdateQueue: async (message: UpdateQueueMessage) => {
      const { name, change } = await queueUpdateOf(message);
      return { name, settings: queueSettingsMessage(await api.updateQueue(name, change)) };
    },
  };
}
