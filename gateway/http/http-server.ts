// The HTTP face: the operations of the table, and what holds for all of them (security headers, errors as problem documents,
// metrics). Listening and closing is http-listener.ts.

import express, { type Express, type Request, type RequestHandler } from 'express';
import helmet from 'helmet';
import { ServiceError } from '../../domain/errors.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import { refuseCrossOrigin } from './cross-origin.ts';
import type { HttpAppOptions } from './http-services.ts';
import { sendNothing } from './json-answer.ts';
import { openApiDocument } from './openapi.ts';
import { operations } from './operations.ts';
import { problemHandler } from './problem-json.ts';
import { addRoutes } from './routing.ts';

export function createHttpApp(options: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use(measured(options.metrics), refuseCrossOrigin(options.names));
  app.use('/docs', pageHeaders);
  addRoutes(app, operations, { ...options, document: openApiDocument });
  app.get('/docs/', toDocs);
  app.use((_request, _response) => {
    throw new ServiceError('route-not-found', 'There is nothing at this address; /openapi.json lists what there is.');
  });
  app.use(problemHandler(options.failures));
  return app;
}

/** Those that are for browsers that show a page; what is with every answer is in json-answer.ts. */
const pageHeaders = helmet({ contentSecurityPolicy: false, strictTransportSecurity: false });

/** The page's own addresses are relative to the one without the slash. */
const toDocs: RequestHandler = (_request, response) => {
  sendNothing(response, 308, { Location: '../docs' });
};

function measured(metrics: GatewayMetrics): RequestHandler {
  return (request, response, next) => {
    const startedAt = monotonicMs();
    response.once('close', () => {
      const seconds = (monotonicMs() - startedAt) / 1000;
      metrics.observeHttp(request.method, routeOf(request), response.statusCode, seconds);
    });
    next();
  };
}

/** The pattern, not the path: ids must not become labels. */
function routeOf(request: Request): string {
  return request.route?.path ?? 'none';
}
