// Listens for HTTP with every timeout and bound set, and closes without cutting off an answer: no new connections, the
// requests that are being answered finish, then whatever is left open (idle or half-open connections) is closed.

import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { InProgress } from '../in-progress.ts';
import { listening } from '../listening.ts';
import { serverLimits } from '../server-limits.ts';
import { answerUnreadable, withinConnections } from './refusals.ts';

export interface HttpListener {
  /** `host:port` as bound. */
  readonly address: string;
  /** Resolves when all connections are closed. */
  close(): Promise<void>;
}

export interface HttpListenerOptions {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  readonly connectionsMax: number;
  readonly onConnectionRefused: () => void;
  /** Of the requests and answers that the app gets. */
  readonly classes: Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'>;
  /** Other times than those of serverLimits. */
  readonly timeouts?: Partial<HttpTimeouts>;
}

export type HttpTimeouts = Record<
  'headersTimeoutMs' | 'requestTimeoutMs' | 'timeoutCheckMs' | 'keepAliveTimeoutMs' | 'socketIdleTimeoutMs',
  number
>;

export async function listenHttp(app: RequestListener, options: HttpListenerOptions): Promise<HttpListener> {
  const server = boundedServer({ ...serverLimits, ...options.timeouts }, options.classes);
  closeWithConnection(server);
  const answering = answeringOf(server);
  server.on('request', withinConnections(server, app, options.connectionsMax, options.onConnectionRefused));
  answerUnreadable(server);
  // Whoever reads the body says that it may come.
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return {
    address: await listening(server, options.host, options.port, 'HTTP_PORT'),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await answering.none(serverLimits.drainMs);
      server.closeAllConnections();
      await closed;
    },
  };
}

function boundedServer(timeouts: HttpTimeouts, classes: HttpListenerOptions['classes']): Server {
  const server = createServer({
    ...classes,
    headersTimeout: timeouts.headersTimeoutMs,
    requestTimeout: timeouts.requestTimeoutMs,
    connectionsCheckingInterval: timeouts.timeoutCheckMs,
    keepAliveTimeout: timeouts.keepAliveTimeoutMs,
    maxHeaderSize: serverLimits.headerBytesMax,
    // Checked by us, so that its absence is told like all other errors.
    requireHostHeader: false,
  });
  server.timeout = timeouts.socketIdleTimeoutMs;
  return server;
}

/**
 * Node tells only the answer that is being sent that its connection is gone; those of requests that were sent without waiting
 * for it (pipelining) would never hear, and whatever waits or streams for them would go on for ever.
 */
function closeWithConnection(server: Server): void {
  const answers = new WeakMap<Duplex, Set<ServerResponse>>();
  server.on('connection', (socket) => {
    const open = new Set<ServerResponse>();
    answers.set(socket, open);
    socket.once('close', () => {
      const neverSent = [...open].filter((response) => response.socket === null);
      for (const response of neverSent) response.destroy().emit('close');
    });
  });
  server.on('request', ({ socket }, response) => {
    const open = answers.get(socket);
    open?.add(response);
    response.once('close', () => open?.delete(response));
  });
}

function answeringOf(server: Server): InProgress {
  const answering = new InProgress();
  server.on('request', (_request, response) => {
    answering.begin();
    response.once('close', () => answering.end());
  });
  return answering;
}
