// The components of the OpenAPI document. Those of bodies are the very objects that gateway/api compiles to check requests.

import type { OpenAPIV3_1 } from 'openapi-types';
import { cancelTaskSchema, retryTaskSchema, updateQueueSchema } from '../api/control-schemas.ts';
import { putScheduleSchema, runScheduleSchema } from '../api/schedule-schema.ts';
import { submitTaskSchema, submitTasksSchema } from '../api/submit-schema.ts';
import { explanationSchema } from './explanation-json.ts';
import {
  queueSettingsSchema,
  queuesSchema,
  statsSchema,
  statusSchema,
  taskBatchSchema,
  taskEventSchema,
  taskPageSchema,
  workersSchema,
} from './fleet-schemas.ts';
import { scheduleSchema, schedulesSchema } from './schedule-schemas.ts';
import { problemSchema, taskSchema } from './task-schemas.ts';

export const components = {
  SubmitTask: submitTaskSchema,
  SubmitTasks: submitTasksSchema,
  CancelTask: cancelTaskSchema,
  RetryTask: retryTaskSchema,
  UpdateQueue: updateQueueSchema,
  PutSchedule: putScheduleSchema,
  RunSchedule: runScheduleSchema,
  Task: taskSchema,
  TaskBatch: taskBatchSchema,
  TaskPage: taskPageSchema,
  TaskEvent: taskEventSchema,
  Explanation: explanationSchema,
  Schedule: scheduleSchema,
  Schedules: schedulesSchema,
  Workers: workersSchema,
  Queues: queuesSchema,
  QueueSettings: queueSettingsSchema,
  Stats: statsSchema,
  Status: statusSchema,
  Problem: problemSchema,
} as const satisfies Record<string, OpenAPIV3_1.SchemaObject>;
export type ComponentName = keyof typeof components;

export function component(name: ComponentName): OpenAPIV3_1.ReferenceObject {
  return { $ref: `#/components/schemas/${name}` };
}

/** Content of an answer or body of ours. */
export function json(name: ComponentName): Record<string, OpenAPIV3_1.ReferenceObject> {
  return { 'application/json': component(name) };
}
