// Answers of the HTTP face: status and headers are written at once, and with a text in one piece. Express's own `send` is not used:
// it would decide about conditional requests by itself.

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { untakenAnswers } from '../held-bytes.ts';
import { serverLimits } from '../server-limits.ts';

/**
 * `headers`, which come first, and those of every answer. No scripts, no frames, nothing for pages of others; the one page sets its
 * own policy. HSTS is for whoever terminates TLS. Nothing of what we answer may be kept by a cache, for it is about this moment.
 * One literal, with the spread last: in any other form V8 is ten times slower with it.
 */
export function allHeaders(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return {
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    ...headers,
  };
}

/** `headers` are those that not every answer has. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  sendText(response, status, 'application/json', JSON.stringify(value), headers);
}

/** To HEAD too: Node leaves out the body. */
export function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  content: string | Buffer,
  headers: OutgoingHttpHeaders = {},
): void {
  const bytes = writeHead(response, status, type, content, headers);
  response.end(content);
  if (response.writableLength > 0 || bytes > serverLimits.smallAnswerBytes) holdUntilTaken(response, bytes);
}

/**
 * A piece of an answer that goes on. Resolves when the connection has taken it, or is gone, so that what is not taken is not made; meanwhile
 * it is held.
 */
export async function writeTaken(response: ServerResponse, text: string): Promise<void> {
  if (response.write(text) || response.destroyed) return;
  const hold = untakenAnswers.hold(Buffer.byteLength(text), () => response.destroy());
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
  hold.end();
}

/**
 * An object whose one member is a list, sent as it is made: all of it together may be more than there is memory for. What fails before the
 * first item is thrown before anything is sent.
 */
export async function sendJsonList(
  response: ServerResponse,
  status: number,
  member: string,
  items: AsyncIterable<unknown>,
): Promise<void> {
  let before = `{${JSON.stringify(member)}:[`;
  const headers = allHeaders({ 'Content-Type': 'application/json' });
  for await (const item of items) {
    if (!response.headersSent) response.writeHead(status, headers);
    await writeTaken(response, before + JSON.stringify(item));
    if (response.destroyed) return;
    before = ',';
  }
  if (!response.headersSent) response.writeHead(status, headers);
  response.end(before === ',' ? ']}' : `${before}]}`);
}

/** The connection is let go, and not the answer, which may stand behind others there. */
function holdUntilTaken(response: ServerResponse, bytes: number): void {
  if (response.destroyed) return;
  const hold = untakenAnswers.hold(bytes, () => response.req.socket.destroy());
  response.once('close', hold.end);
}

/** An answer without a body. */
export function sendNothing(
  response: ServerResponse,
  status: 204 | 304 | 308,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, allHeaders(headers)).end();
}

/**
 * As {@link sendText}, to a request that has not arrived as a whole and is not wanted to. The connection is closed, but only
 * once the client has had time to read the answer: closed with bytes unread, it would be reset and the answer lost.
 */
export function sendBeforeTheEnd(
  response: ServerResponse,
  status: number,
  type: string,
  content: string,
  headers: OutgoingHttpHeaders,
): void {
  writeHead(response, status, type, content, { Connection: 'close', ...headers });
  response.write(content);
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, serverLimits.refusedLingerMs);
  response.req.once('close', end).resume();
}

/** The bytes of the content. */
function writeHead(
  response: ServerResponse,
  status: number,
  type: string,
  content: string | Buffer,
  headers: OutgoingHttpHeaders,
): number {
  const bytes = Buffer.byteLength(content);
  response.writeHead(status, allHeaders({ 'Content-Type': type, 'Content-Length': bytes, ...headers }));
  return bytes;
}
