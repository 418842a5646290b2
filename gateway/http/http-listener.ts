// Listens for HTTP with every timeout and bound set, and closes without cutting off an answer: no new connections, the
// requests that are being answered finish, then whatever is left open (idle or half-open connections) is closed.

import { createServer, type RequestListener, type Server } from 'node:http';
import { InProgress } from '../in-progress.ts';
import { listening } from '../listening.ts';
import { serverLimits } from '../server-limits.ts';

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
}

export async function listenHttp(app: RequestListener, options: HttpListenerOptions): Promise<HttpListener> {
  const server = boundedServer(options);
  const answering = answeringOf(server);
  server.on('request', app);
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

function boundedServer({ connectionsMax, onConnectionRefused }: HttpListenerOptions): Server {
  const server = createServer({
    headersTimeout: serverLimits.headersTimeoutMs,
    requestTimeout: serverLimits.requestTimeoutMs,
    connectionsCheckingInterval: serverLimits.timeoutCheckMs,
    keepAliveTimeout: serverLimits.keepAliveTimeoutMs,
    maxHeaderSize: serverLimits.headerBytesMax,
  });
  server.timeout = serverLimits.socketIdleTimeoutMs;
  server.maxConnections = connectionsMax;
  server.on('drop', onConnectionRefused);
  return server;
}

function answeringOf(server: Server): InProgress {
  const answering = new InProgress();
  server.on('request', (_request, response) => {
    answering.begin();
    response.once('close', () => answering.end());
  });
  return answering;
}
