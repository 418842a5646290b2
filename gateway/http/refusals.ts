// What is refused before it is a request: more connections than there may be, and bytes that are no HTTP, too many or too slow.
// Each is told why, as a problem document like all other errors, where it can still be told, and is then let go of.

import { type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ServiceError } from '../../domain/errors.ts';
import { serverLimits } from '../server-limits.ts';
import type { OpenAnswers } from './open-answers.ts';
import { problemMediaType, problemOf, sendProblem } from './problem-json.ts';

/**
 * `app` for the connections within `max`. The requests of a few more are answered 'too-many-connections'; any beyond
 * them are closed without a word.
 */
export function withinConnections(server: Server, app: RequestListener, max: number, onRefused: () => void) {
  const refused = new WeakSet<Duplex>();
  let open = 0;
  server.maxConnections = max + serverLimits.connectionsRefusedAtOnce;
  server.on('drop', onRefused);
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
    if (open <= max) return;
    refused.add(socket);
    destroySoon(socket);
    onRefused();
  });
  const listener: RequestListener = (request, response) => {
    if (refused.has(request.socket)) refuse(response, tooManyConnections);
    else if (request.headers.host === undefined && request.httpVersion === '1.1') refuse(response, noHost);
    else app(request, response);
  };
  return listener;
}

/**
 * `app` for a connection that reads what it has asked for. Each answer is made when it is asked for, and kept until those before it have
 * been taken, so a client that only asks would have us keep as many as it likes.
 */
export function withinRequests(answers: OpenAnswers, app: RequestListener, onRefused: () => void): RequestListener {
  return (request, response) => {
    if (answers.count(request.socket) <= serverLimits.requestsPerConnectionMax) return app(request, response);
    onRefused();
    refuse(response, tooManyRequests);
  };
}

/**
 * Answers what Node's parser cannot make a request of, and what it has waited for too long. Not while a request before it waits for its
 * answer, which the client would take this for.
 */
export function answerUnreadable(server: Server, answers: OpenAnswers): void {
  const refused = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (refused.has(socket)) return; // each further byte is a further error
    refused.add(socket);
    if (!socket.writable || error.code === 'ECONNRESET' || answers.isOwed(socket)) socket.destroy();
    else refuseSocket(socket, unreadable(error.code));
  });
  server.on('connect', (_request, socket) => refuseSocket(socket, noProxy));
}

const tooManyConnections = new ServiceError(
  'too-many-connections',
  'There are too many connections to this gateway; try again, or another gateway.',
);
const tooManyRequests = new ServiceError(
  'too-many-requests',
  `${serverLimits.requestsPerConnectionMax} requests of this connection have no answer yet; wait for those, or use another connection.`,
);
const noHost = new ServiceError('invalid-request', 'The request has no Host header, which HTTP/1.1 requires.');
const noProxy = new ServiceError('invalid-request', 'CONNECT is for proxies, and this is none.');

function unreadable(code: string | undefined): ServiceError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ServiceError('headers-too-large', `The headers are over ${serverLimits.headerBytesMax} bytes.`);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ServiceError('body-too-large', 'The chunks of the body have extensions that are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ServiceError('request-timeout', 'The request has not arrived as a whole in time.');
    default:
      return new ServiceError('invalid-request', 'This is no HTTP request that can be read.');
  }
}

function refuse(response: ServerResponse, error: ServiceError): void {
  sendProblem(response, error, { Connection: 'close' });
}

function refuseSocket(socket: Duplex, error: ServiceError): void {
  const problem = problemOf(error);
  const content = JSON.stringify(problem);
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(content)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.on('error', () => undefined);
  socket.end(`${lines.join('\r\n')}\r\n\r\n${content}`);
  socket.resume();
  destroySoon(socket);
}

/** Not at once: with bytes of the client unread, the answer would be lost in a reset. */
function destroySoon(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), serverLimits.refusedLingerMs);
  socket.once('close', () => clearTimeout(timer));
}
