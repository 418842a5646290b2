// The OpenAPI 3.1 document of the HTTP face, served at /openapi.json. Its component for the body of a submit is the
// object that request-parsing.ts compiles; a test checks the answers against the others.

import type { OpenAPIV3, OpenAPIV3_1 } from 'openapi-types';
import { limits } from '../../domain/limits.ts';
import { submitTaskSchema } from '../api/submit-schema.ts';
import { problemSchema, taskSchema } from './task-schemas.ts';

// openapi-types wants what stands in a 3.1 path to be valid for 3.0 as well; the components are free of that.
type Operation = NonNullable<OpenAPIV3_1.PathItemObject['get']>;
type Response = OpenAPIV3.ResponseObject & OpenAPIV3_1.ResponseObject;

const taskContent = { 'application/json': { schema: { $ref: '#/components/schemas/Task' } } };

const waitParameters: OpenAPIV3_1.ParameterObject[] = [
  {
    name: 'wait',
    in: 'query',
    description:
      'Hold the answer until the task is final, at most so long: seconds, or a number with ms, s or m. More than 60 s counts as 60 s.',
    schema: { type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m)?$' },
    example: '10s',
  },
  {
    name: 'Prefer',
    in: 'header',
    description: 'RFC 7240: wait=10 is the same as the query parameter, which counts where both are given.',
    schema: { type: 'string' },
    example: 'wait=10',
  },
];

const preferenceApplied: Record<string, OpenAPIV3.HeaderObject> = {
  'Preference-Applied': { description: 'Present where Prefer was honoured.', schema: { type: 'string' } },
};

function problem(description: string): Response {
  return { description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };
}

function problemWithRetry(description: string): Response {
  return {
    ...problem(description),
    headers: {
      'Retry-After': { description: 'Seconds, where waiting helps.', schema: { type: 'integer', minimum: 1 } },
    },
  };
}

const tooManyWaits = problemWithRetry('Too many unfinished tasks or waiting requests.');
const unavailable = problemWithRetry(
  'ZooKeeper cannot answer in time, and nothing was done; or, with a type ending in /outcome-unknown, a submit may or may not have been committed: repeat it with the same idempotency key.',
);

const submitTask: Operation = {
  operationId: 'submitTask',
  summary: 'Submit a task',
  description: 'The task is committed by the ensemble before the answer.',
  tags: ['tasks'],
  parameters: [
    ...waitParameters,
    {
      name: 'Idempotency-Key',
      in: 'header',
      description: 'The same key with the same body answers the first task again. A quoted string or bare.',
      schema: { type: 'string', minLength: 1, maxLength: 2 * limits.idempotencyKeyCharactersMax + 2 },
    },
  ],
  requestBody: {
    required: true,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/SubmitTask' } } },
  },
  responses: {
    '200': {
      description: 'The idempotency key had made this task before.',
      headers: preferenceApplied,
      content: taskContent,
    },
    '201': {
      description: 'The task, committed; with a wait, as it is at its end.',
      headers: {
        ...preferenceApplied,
        Location: { description: 'Address of the task.', schema: { type: 'string', format: 'uri-reference' } },
      },
      content: taskContent,
    },
    '400': problem('The body or a parameter does not fit.'),
    '413': problem(
      `The payload is over ${limits.payloadBytesMax} bytes, or the body over ${limits.requestBodyBytesMax}.`,
    ),
    '415': problem('The body is not declared as JSON in UTF-8.'),
    '422': problem('The idempotency key was used with another body.'),
    '429': tooManyWaits,
    '503': unavailable,
  },
};

const getTask: Operation = {
  operationId: 'getTask',
  summary: 'Get a task, now or when it is final',
  tags: ['tasks'],
  parameters: waitParameters,
  responses: {
    '200': { description: 'The task as it is now.', headers: preferenceApplied, content: taskContent },
    '400': problem('A parameter does not fit.'),
    '404': problem('No such task.'),
    '429': tooManyWaits,
    '503': unavailable,
  },
};

const status: OpenAPIV3.SchemaObject = {
  type: 'object',
  additionalProperties: false,
  required: ['status'],
  properties: { status: { type: 'string' } },
};

function operation(operationId: string, summary: string, responses: Record<string, Response>): { get: Operation } {
  const all = { ...responses, '400': problem('It takes no parameters.') };
  return { get: { operationId, summary, tags: ['operation'], responses: all } };
}

export const openApiDocument: OpenAPIV3_1.Document = {
  openapi: '3.1.0',
  info: {
    title: 'Taskkeeper',
    version: '1.0.0',
    description: 'A durable, replicated task queue. The same service is offered over gRPC (taskkeeper.v1.TaskService).',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/' }],
  security: [],
  tags: [
    { name: 'tasks', description: 'Submit tasks and see what became of them.' },
    { name: 'operation', description: 'For those who run the gateway.' },
  ],
  paths: {
    '/tasks': { post: submitTask },
    '/tasks/{id}': {
      parameters: [
        { name: 'id', in: 'path', required: true, description: 'Id of a task.', schema: { type: 'string' } },
      ],
      get: getTask,
    },
    '/healthz': operation('getLiveness', 'Is the process alive?', {
      '200': { description: 'It is.', content: { 'application/json': { schema: status } } },
    }),
    '/readyz': operation('getReadiness', 'Can the gateway take requests?', {
      '200': { description: 'It can.', content: { 'application/json': { schema: status } } },
      '503': problemWithRetry('It has no ZooKeeper session, or is shutting down.'),
    }),
    '/metrics': operation('getMetrics', 'Metrics for Prometheus', {
      '200': { description: 'Prometheus text format.', content: { 'text/plain': { schema: { type: 'string' } } } },
    }),
    '/openapi.json': operation('getOpenApi', 'This document', {
      '200': { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
    }),
  },
  components: { schemas: { SubmitTask: submitTaskSchema, Task: taskSchema, Problem: problemSchema } },
};
