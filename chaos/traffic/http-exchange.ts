// One request over HTTP and its answer, or what is known of the request where there is none: that nothing of it was sent can be said only
// while the connection has not come about. Nothing is ever repeated, also not on another connection.

import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { HttpRequest } from './http-request.ts';

export type Exchange =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  | { readonly kind: 'none'; readonly mayBeSent: boolean; readonly why: string };

export interface ExchangeOptions {
  readonly agent: Agent;
  readonly timeoutMs: number;
  /** Whoever asked wants no answer any more. */
  readonly signal: AbortSignal;
}

export function exchange(url: string, request: HttpRequest, options: ExchangeOptions): Promise<Exchange> {
  const { agent, timeoutMs, signal } = options;
  return new Promise((resolve) => {
    const { method, path, body } = request;
    const text = body === undefined ? null : JSON.stringify(body);
    const type = text === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sending = httpRequest(new URL(path, url), { agent, method, headers: { ...request.headers, ...type } });
    let mayBeSent = false;
    onceConnected(sending, () => {
      mayBeSent = true;
    });
    const timer = setTimeout(() => sending.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const leave = () => sending.destroy(new Error('whoever asked has left'));
    signal.addEventListener('abort', leave, { once: true });
    const settle = (end: Exchange) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      resolve(end);
    };
    const fail = (error: Error) => settle({ kind: 'none', mayBeSent, why: error.message });
    sending.once('response', (response) => readAll(response, settle, fail));
    sending.on('error', fail);
    sending.once('close', () => fail(new Error('the connection was closed')));
    if (signal.aborted) leave();
    else sending.end(text ?? undefined);
  });
}

function onceConnected(sending: ClientRequest, then: () => void): void {
  sending.once('socket', (socket) => {
    if (socket.connecting) socket.once('connect', then);
    else then();
  });
}

function readAll(response: IncomingMessage, settle: (end: Exchange) => void, fail: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.once('end', () => {
    settle({ kind: 'answer', status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
  });
  response.on('error', fail);
}
