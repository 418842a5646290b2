// What those who run the gateway, or write programs for it, ask of the gateway itself.

import { ServiceError } from '../../../domain/errors.ts';
import { sendJson, sendText } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { sendProblem } from '../problem-json.ts';
import { json } from '../schemas.ts';

export const getLiveness = operation({
  operationId: 'getLiveness',
  method: 'get',
  path: '/healthz',
  tag: 'service',
  summary: 'Is the process alive?',
  answers: { 200: { description: 'It is.', content: json('Status') } },
  example: { path: '/healthz', status: 200, answer: { status: 'ok' } },
  handle: () => (_request, response) => sendJson(response, 200, { status: 'ok' }),
});

const noSession = new ServiceError('coordination-unavailable', 'There is no ZooKeeper session.');

export const getReadiness = operation({
  operationId: 'getReadiness',
  method: 'get',
  path: '/readyz',
  tag: 'service',
  summary: 'Can the gateway take requests?',
  answers: { 200: { description: 'It can.', content: json('Status') } },
  problems: ['coordination-unavailable', 'shutting-down'],
  example: { path: '/readyz', status: 200, answer: { status: 'ready' } },
  handle:
    ({ api }) =>
    (_request, response) => {
      // Answers, not failures: who asks this asks again and again, so they are neither logged nor counted as refusals.
      if (api.isDraining) sendProblem(response, new ServiceError('shutting-down', 'The gateway is shutting down.'));
      else if (!api.isReady) sendProblem(response, noSession);
      else sendJson(response, 200, { status: 'ready' });
    },
});

export const getMetrics = operation({
  operationId: 'getMetrics',
  method: 'get',
  path: '/metrics',
  tag: 'service',
  summary: 'Metrics for Prometheus',
  answers: { 200: { description: 'Text exposition format.', content: { 'text/plain': { type: 'string' } } } },
  example: { path: '/metrics', status: 200, answer: 'taskkeeper_waiting_requests 0\n' },
  handle:
    ({ registry }) =>
    async (_request, response) =>
      sendText(response, 200, registry.contentType, await registry.metrics()),
});

export const getOpenApi = operation({
  operationId: 'getOpenApi',
  method: 'get',
  path: '/openapi.json',
  tag: 'service',
  summary: 'This document',
  answers: {
    200: {
      description: 'OpenAPI 3.1.',
      content: {
        'application/json': {
          type: 'object',
          required: ['openapi'],
          additionalProperties: true,
          properties: { openapi: { type: 'string' } },
        },
      },
    },
  },
  compressed: true,
  example: {
    path: '/openapi.json',
    status: 200,
    answer: { openapi: '3.1.0', info: { title: 'Taskkeeper' }, paths: {}, components: {} },
  },
  handle: ({ document }) => {
    const content = JSON.stringify(document);
    return (_request, response) => sendText(response, 200, 'application/json', content);
  },
});
