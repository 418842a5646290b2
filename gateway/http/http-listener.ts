// Listens for HTTP with every timeout and bound set, and closes without cutting off an answer: no new connections, the
// requests that are being answered finish, then whatever is left open (idle or half-open connections) is closed.

import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { listening } from '../listening.ts';
import { serverLimits } from '../server-limits.ts';
import { OpenAnswers } from './open-answers.ts';
import { answerUnreadable, withinConnections, withinRequests } from './refusals.ts';

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
  /** Of a connection that has too many under way. */
  readonly onRequestRefused: () => void;
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
  const answers = new OpenAnswers(server);
  const bounded = withinRequests(answers, app, options.onRequestRefused);
  server.on('request', withinConnections(server, bounded, options.connectionsMax, options.onConnectionRefused));
  answerUnreadable(server, answers);
  // Whoever reads the body says that it may come.
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return {
    address: await listening(server, options.host, options.port, 'HTTP_PORT'),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await answers.close(serverLimits.drainMs);
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
