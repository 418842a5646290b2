// The HTTP face: routes, and what holds for all of them (security headers, strict methods and parameters, errors as
// problem documents, metrics). Listening and closing is http-listener.ts.

import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import helmet from 'helmet';
import type { Registry } from 'prom-client';
import { ServiceError } from '../../domain/errors.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { TaskApi } from '../api/task-api.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import { getTask, submitTask } from './http-task-routes.ts';
import { jsonBody } from './json-body.ts';
import { openApiDocument } from './openapi.ts';
import { problemHandler, sendProblem } from './problem-json.ts';
import { queryParameters } from './query-parameters.ts';

export interface HttpServices {
  readonly api: TaskApi;
  readonly registry: Registry;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
}

export function createHttpApp({ api, registry, metrics, log }: HttpServices): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use(measured(metrics), securityHeaders(), lastOnItsConnection(api));

  app
    .route('/tasks')
    .post(...jsonBody, submitTask(api))
    .all(allowOnly('POST'));
  app.route('/tasks/:id').get(getTask(api)).all(allowOnly('GET', 'HEAD'));
  app.route('/healthz').get(withoutParameters, healthz).all(allowOnly('GET', 'HEAD'));
  app.route('/readyz').get(withoutParameters, readyz(api)).all(allowOnly('GET', 'HEAD'));
  app.route('/metrics').get(withoutParameters, exposition(registry)).all(allowOnly('GET', 'HEAD'));
  app.route('/openapi.json').get(withoutParameters, openApi).all(allowOnly('GET', 'HEAD'));

  app.use((_request, _response) => {
    throw new ServiceError('route-not-found', 'There is nothing at this address; /openapi.json lists what there is.');
  });
  app.use(problemHandler(log));
  return app;
}

/** Nothing here is a page: no scripts, no frames. HSTS is for whoever terminates TLS. */
function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: false,
  });
}

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

/** While draining, each answer ends its connection, or clients would go on with it. */
function lastOnItsConnection(api: TaskApi): RequestHandler {
  return (_request, response, next) => {
    const writeHead = response.writeHead;
    response.writeHead = function closing(this: Response, ...headers: Parameters<typeof writeHead>) {
      if (api.isDraining) this.setHeader('Connection', 'close');
      return writeHead.apply(this, headers);
    } as typeof writeHead;
    next();
  };
}

function allowOnly(...methods: string[]): RequestHandler {
  const allowed = methods.join(', ');
  return (request, response) => {
    response.set('Allow', allowed);
    sendProblem(
      response,
      new ServiceError('method-not-allowed', `${request.method} is not for this address; allowed: ${allowed}.`),
    );
  };
}

const withoutParameters: RequestHandler = (request, _response, next) => {
  queryParameters(request, []);
  next();
};

const healthz: RequestHandler = (_request, response) => {
  response.set('Cache-Control', 'no-store').json({ status: 'ok' });
};

function readyz(api: TaskApi): RequestHandler {
  return (_request, response) => {
    if (api.isDraining) throw new ServiceError('shutting-down', 'The gateway is shutting down.');
    if (!api.isReady) throw new ServiceError('coordination-unavailable', 'There is no ZooKeeper session.');
    response.set('Cache-Control', 'no-store').json({ status: 'ready' });
  };
}

function exposition(registry: Registry): RequestHandler {
  return async (_request, response) => {
    response.set('Content-Type', registry.contentType).send(await registry.metrics());
  };
}

const openApi: RequestHandler = (_request, response) => {
  response.json(openApiDocument);
};
