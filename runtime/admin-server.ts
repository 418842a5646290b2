// The small HTTP endpoint of masters and workers: liveness, readiness, metrics, and whatever routes a service adds (the
// master serves its index to the gateways here). Read-only: GET and HEAD. Not meant for the outside world; it listens
// where HOST says, on loopback unless somebody changed that.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { limits } from '../domain/limits.ts';
import { formatAddress } from './environment.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Answers one GET; `url` is the request's, for its query. */
export type AdminRoute = (url: URL, request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface AdminServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What others reach this process by. */
  readonly advertisedHost: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly isReady: () => boolean;
  /** By exact path. */
  readonly routes?: Readonly<Record<string, AdminRoute>>;
}

export interface AdminServer {
  /** `host:port` for others. */
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Answers may take as long as they like: a stream of events ends with the leading. */
const connectionLimits = {
  maxHeaderSize: limits.adminHeadersBytesMax,
  headersTimeout: limits.adminRequestMs,
  requestTimeout: limits.adminRequestMs,
  keepAliveTimeout: limits.adminIdleMs,
  connectionsCheckingInterval: limits.adminRequestMs / 2,
};

/** Rejects where the port cannot be had. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const routes = new Map<string, AdminRoute>(Object.entries({ ...standardRoutes(options), ...options.routes }));
  const server = createServer(connectionLimits, (request, response) => {
    answer(routes, request, response).catch((error: unknown) => {
      options.log.error({ err: error, url: request.url }, 'an admin request failed');
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { status: 'error' });
    });
  });
  server.maxConnections = limits.adminConnectionsMax;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return { address: formatAddress(options.advertisedHost, port), port, close: () => close(server) };
}

export function sendJson(response: ServerResponse, statusCode: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(statusCode, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

function standardRoutes({ isReady, metrics }: AdminServerOptions): Record<string, AdminRoute> {
  return {
    '/healthz': (_url, _request, response) => sendJson(response, 200, { status: 'ok' }),
    '/readyz': (_url, _request, response) => {
      const ready = isReady();
      sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready' });
    },
    '/metrics': async (_url, _request, response) => {
      const text = await metrics.metrics();
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
    },
  };
}

async function answer(routes: Map<string, AdminRoute>, request: IncomingMessage, response: ServerResponse) {
  const url = URL.canParse(request.url ?? '', 'http://admin') ? new URL(request.url ?? '', 'http://admin') : null;
  const route = url && routes.get(url.pathname);
  if (!url || !route) return sendJson(response, 404, { status: 'not found' });
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return sendJson(response, 405, { status: 'method not allowed' });
  }
  await route(url, request, response);
}

function listen(server: Server, { host, port }: AdminServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
