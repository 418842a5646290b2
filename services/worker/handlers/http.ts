// The `http` handler: one request, resulting in `{"status","headers","body"}` with the body as text. Calls allowed hosts
// only and follows redirects by itself, so that each hop is checked. A status of 500 or more and no answer at all fail the
// attempt (contract section 3); any other status is a result.

import { limits } from '../../../domain/limits.ts';
import type { Json } from '../../../domain/task.ts';
import type { Handler } from './handler.ts';
import { HandlerFailure, invalidPayload } from './handler-failure.ts';
import { handlerLimits } from './handler-limits.ts';
import type { AllowedHosts } from './http-hosts.ts';
import { type HttpRequest, readRequest, redirected } from './http-request.ts';

const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308];

export function httpHandler(hosts: AllowedHosts): Handler {
  return async (payload, context) => {
    const response = await follow(readRequest(payload), hosts, context.signal);
    const body = await readBody(response, context.signal);
    if (response.status >= 500) {
      throw new HandlerFailure('handler_error', `http: the server answered ${response.status}`, {
        retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
      });
    }
    return { status: response.status, headers: headersAsJson(response.headers), body };
  };
}

async function follow(first: HttpRequest, hosts: AllowedHosts, signal: AbortSignal): Promise<Response> {
  let request = first;
  for (let redirects = 0; ; redirects++) {
    refuseOtherHosts(request.url, hosts);
    const response = await send(request, signal);
    const location = response.headers.get('location');
    if (!redirectStatuses.includes(response.status) || location === null) return response;
    await response.body?.cancel();
    if (redirects === handlerLimits.httpRedirectsMax) {
      throw new HandlerFailure('handler_error', `http: more than ${handlerLimits.httpRedirectsMax} redirects`);
    }
    request = nextRequest(request, response.status, location);
  }
}

function refuseOtherHosts(url: URL, hosts: AllowedHosts): void {
  if (hosts.allows(url)) return;
  throw invalidPayload(`http: ${url.host} is not one of the hosts in HTTP_HANDLER_HOSTS of this worker`);
}

function nextRequest(request: HttpRequest, status: number, location: string): HttpRequest {
  try {
    return redirected(request, status, location);
  } catch {
    throw new HandlerFailure('handler_error', 'http: the server redirected to something that is no URL');
  }
}

async function send(request: HttpRequest, signal: AbortSignal): Promise<Response> {
  const { url, method, headers, body } = request;
  try {
    return await fetch(url, { method, headers, body, signal, redirect: 'manual' });
  } catch (error) {
    throw noAnswer(url, error, signal);
  }
}

/** The whole body as text; `invalid_result` as soon as it cannot fit a result any more. */
async function readBody(response: Response, signal: AbortSignal): Promise<string> {
  const reader = response.body?.getReader();
  // fetch forgets its signal once the request has been garbage collected (seen with undici 6.24, that of Node 20).
  const cancel = () => void reader?.cancel(signal.reason).catch(() => undefined);
  signal.addEventListener('abort', cancel);
  try {
    const body = await readBounded(reader);
    signal.throwIfAborted();
    if (body !== null) return body;
  } catch (error) {
    throw noAnswer(new URL(response.url), error, signal);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
  if (response.status >= 500) return '';
  throw new HandlerFailure(
    'invalid_result',
    `http: the body of the answer is larger than ${limits.resultBytesMax} bytes, which is all that a result can hold`,
  );
}

/** Null where it is too large; the rest is not read then. */
async function readBounded(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    bytes += part.value.byteLength;
    if (bytes > limits.resultBytesMax) {
      await reader?.cancel();
      return null;
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks).toString();
}

function noAnswer(url: URL, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const { message, cause } = error as Error;
  const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message;
  return new HandlerFailure('handler_error', `http: no answer from ${url.host}: ${reason}`);
}

function headersAsJson(headers: Headers): { [name: string]: Json } {
  const all: [string, string][] = [];
  headers.forEach((value, name) => {
    const before = all.find(([other]) => other === name);
    if (before) before[1] += `, ${value}`;
    else all.push([name, value]);
  });
  return Object.fromEntries(all);
}

/** Seconds or a date (RFC 9110, 10.2.3); null where there is none or it cannot be read. */
export function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}
