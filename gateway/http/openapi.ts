// The OpenAPI 3.1 document, made of the table of operations; served at /openapi.json.

import { readFileSync } from 'node:fs';
import type { OpenAPIV3, OpenAPIV3_1 } from 'openapi-types';
import type { ErrorReason } from '../../domain/errors.ts';
import { hasRetryAfter, httpStatusOf, titleOf } from '../error-mapping.ts';
import type { Answer, Example, Operation, Schema } from './operation.ts';
import { operations } from './operations.ts';
import type { Parameter } from './parameters.ts';
import { component, components } from './schemas.ts';

// openapi-types wants what stands in a 3.1 path to be valid for 3.0 as well; the components are free of that.
type PathItem = OpenAPIV3_1.PathItemObject;
type DocumentedOperation = NonNullable<PathItem['get']>;
type DocumentedAnswer = OpenAPIV3.ResponseObject & OpenAPIV3_1.ResponseObject;

/** How every request can fail. */
const commonProblems: readonly ErrorReason[] = [
  'invalid-request',
  'cross-origin',
  'request-timeout',
  'headers-too-large',
  'internal-error',
  'too-many-requests',
  'too-many-connections',
];
const bodyProblems: readonly ErrorReason[] = ['unsupported-media-type', 'body-too-large'];

const retryAfter: OpenAPIV3.HeaderObject = {
  description: 'Seconds, where waiting helps.',
  schema: { type: 'integer', minimum: 1 },
};

export const openApiDocument: OpenAPIV3_1.Document = {
  openapi: '3.1.0',
  info: {
    title: 'Taskkeeper',
    version: packageVersion(),
    description:
      'A durable, replicated task queue. The same service is offered over gRPC (`taskkeeper.v1.TaskService`). HEAD is answered wherever GET is.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/' }],
  security: [],
  tags: [
    { name: 'tasks', description: 'Submit tasks and see what became of them.' },
    { name: 'schedules', description: 'Have tasks made again and again.' },
    { name: 'events', description: 'Be told when tasks change (server-sent events).' },
    { name: 'fleet', description: 'Workers, queues, and the whole in numbers.' },
    { name: 'service', description: 'The gateway itself.' },
  ],
  paths: pathsOf(operations),
  components: { schemas: components },
};

function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function pathsOf(table: readonly Operation[]): Record<string, PathItem> {
  const paths: Record<string, PathItem> = {};
  for (const operation of table) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: documented(operation) };
  }
  return paths;
}

function documented(operation: Operation): DocumentedOperation {
  const { operationId, summary, tag, parameters, body, example } = operation;
  const description = [operation.description, '```sh', curl(operation), '```'].filter(Boolean).join('\n');
  const content = body && {
    'application/json': {
      schema: component(body.component),
      ...(example.body !== undefined && { example: example.body }),
    },
  };
  return {
    ...{ operationId, summary, description, tags: [tag] },
    ...(parameters.length > 0 && { parameters: parameters.map(parameterOf) }),
    ...(body && content && { requestBody: { required: body.required, content } }),
    responses: { ...answersOf(operation), ...problemsOf(operation) },
  };
}

function parameterOf({ name, in: place, description, schema, example }: Parameter<unknown>) {
  const isList = schema.type === 'array';
  return {
    ...{ name, in: place, description, schema },
    ...(place === 'path' && { required: true }),
    ...(isList && { style: 'form', explode: true }),
    ...(example !== undefined && { example }),
  } as OpenAPIV3_1.ParameterObject & OpenAPIV3.ParameterObject;
}

function answersOf({ answers, example }: Operation): Record<string, DocumentedAnswer> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      answerOf(answer, example.status === Number(status) ? example : null),
    ]),
  );
}

function answerOf({ description, headers, content }: Answer, example: Example | null): DocumentedAnswer {
  const shown = example?.answer === undefined ? {} : { example: example.answer };
  const media = ([type, schema]: [string, Schema]) => [type, { schema, ...shown }];
  return {
    description,
    ...(headers && Object.keys(headers).length > 0 && { headers }),
    ...(content && { content: Object.fromEntries(Object.entries(content).map(media)) }),
  } as DocumentedAnswer;
}

function problemsOf({ problems = [], body }: Operation): Record<string, DocumentedAnswer> {
  const byStatus = new Map<number, ErrorReason[]>();
  for (const reason of new Set([...commonProblems, ...(body ? bodyProblems : []), ...problems])) {
    const status = httpStatusOf(reason);
    byStatus.set(status, [...(byStatus.get(status) ?? []), reason]);
  }
  return Object.fromEntries([...byStatus].map(([status, reasons]) => [String(status), problemOf(reasons)]));
}

function problemOf(reasons: readonly ErrorReason[]): DocumentedAnswer {
  return {
    description: reasons.map((reason) => `\`${reason}\`: ${titleOf(reason)}.`).join(' '),
    ...(reasons.some(hasRetryAfter) && { headers: { 'Retry-After': retryAfter } }),
    content: { 'application/problem+json': { schema: component('Problem') } },
  };
}

/** The example's request as a line for the shell. */
function curl({ method, example: { path, headers = {}, body } }: Operation): string {
  const verb = method === 'get' ? [] : [`-X ${method.toUpperCase()}`];
  const all = { ...headers, ...(body !== undefined && { 'Content-Type': 'application/json' }) };
  const lines = Object.entries(all).map(([name, value]) => `-H '${name}: ${value}'`);
  const data = body === undefined ? [] : [`-d '${JSON.stringify(body)}'`];
  return ['curl', ...verb, `'http://127.0.0.1:8080${path}'`, ...lines, ...data].join(' ');
}
