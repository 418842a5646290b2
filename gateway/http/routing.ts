// The routes of the HTTP face, made of the table of operations: what is in the document is served, and nothing else.

import compression from 'compression';
import type { Express, RequestHandler } from 'express';
import { ServiceError } from '../../domain/errors.ts';
import type { HttpServices } from './http-services.ts';
import type { Operation } from './operation.ts';

/** Below this, compression saves nothing that a packet would notice. */
const compressed = compression({ threshold: 1024 });

export function addRoutes(app: Express, operations: readonly Operation[], services: HttpServices): void {
  const byPath = new Map<string, Operation[]>();
  for (const operation of operations) {
    byPath.set(operation.path, [...(byPath.get(operation.path) ?? []), operation]);
  }
  for (const [path, atPath] of byPath) {
    const route = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const operation of atPath) {
      const handlers = [...(operation.compressed ? [compressed] : []), operation.handlerOf(services)];
      route[operation.method](...handlers);
    }
    route.all(allowOnly(atPath.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))));
  }
}

function allowOnly(methods: readonly string[]): RequestHandler {
  const allowed = [...methods].sort().join(', ');
  return (request, response) => {
    response.setHeader('Allow', allowed);
    throw new ServiceError('method-not-allowed', `${request.method} is not for this address; allowed: ${allowed}.`);
  };
}
