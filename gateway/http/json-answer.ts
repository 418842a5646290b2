// Answers of the HTTP face. Express's own `send` is not used: it would decide about conditional requests by itself.

import type { ServerResponse } from 'node:http';
import { serverLimits } from '../server-limits.ts';

/** Nothing of what we answer may be kept by a cache, for it is about this moment. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.statusCode = status;
  sendText(response, 'application/json', JSON.stringify(value));
}

/** To HEAD too: Node leaves out the body. `Cache-Control` is no-store where nothing else was set. */
export function sendText(response: ServerResponse, type: string, content: string | Buffer): void {
  setHeaders(response, type, content);
  response.end(content);
}

/** An answer without a body. */
export function sendNothing(response: ServerResponse, status: 204 | 304): void {
  response.statusCode = status;
  response.setHeader('Cache-Control', 'no-store');
  response.end();
}

/**
 * As {@link sendText}, to a request that has not arrived as a whole and is not wanted to. The connection is closed, but only
 * once the client has had time to read the answer: closed with bytes unread, it would be reset and the answer lost.
 */
export function sendBeforeTheEnd(response: ServerResponse, type: string, content: string): void {
  setHeaders(response, type, content);
  response.setHeader('Connection', 'close');
  response.write(content);
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, serverLimits.refusedLingerMs);
  response.req.once('close', end).resume();
}

function setHeaders(response: ServerResponse, type: string, content: string | Buffer): void {
  if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', Buffer.byteLength(content));
}
