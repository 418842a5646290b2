// The payload of the `http` handler, `{"url","method","headers","body"}`, read into a request, and the request that
// follows a redirect. Rules of redirects: fetch standard, section "HTTP-redirect fetch".

import type { Json } from '../../../domain/task.ts';
import { invalidPayload } from './handler-failure.ts';
import { objectPayload } from './object-payload.ts';

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | null;
}

const example = '{"url": "https://host/path", "method": "POST", "headers": {}, "body": "text or JSON"}';

/** Throws `invalid_task`, not retryable, for a payload that is no request. */
export function readRequest(payload: Json): HttpRequest {
  const {
    url,
    method = 'GET',
    headers = {},
    body = null,
  } = objectPayload(payload, ['url', 'method', 'headers', 'body'], example);
  if (typeof method !== 'string') throw invalidPayload('http: "method" must be a string');
  const request = { url: readUrl(url), method: method.toUpperCase(), headers: readHeaders(headers), body: null };
  if (body === null) return checked(request);
  if (typeof body === 'string') return checked({ ...request, body });
  if (!request.headers.has('content-type')) request.headers.set('content-type', 'application/json');
  return checked({ ...request, body: JSON.stringify(body) });
}

/** The request after an answer with this status and place; credentials stay with the origin they were meant for. */
export function redirected(request: HttpRequest, status: number, location: string): HttpRequest {
  const url = new URL(location, request.url);
  const headers = new Headers(request.headers);
  if (url.origin !== request.url.origin) {
    for (const name of ['authorization', 'cookie', 'proxy-authorization']) headers.delete(name);
  }
  const becomesGet =
    (status === 303 && request.method !== 'HEAD') || ((status === 301 || status === 302) && request.method === 'POST');
  if (!becomesGet) return { ...request, url, headers };
  for (const name of ['content-type', 'content-encoding', 'content-language']) headers.delete(name);
  return { url, method: 'GET', headers, body: null };
}

function readUrl(url: Json | undefined): URL {
  if (typeof url !== 'string') throw invalidPayload(`http: "url" must be a string, as in ${example}`);
  try {
    const parsed = new URL(url);
    if (parsed.protocol === 'http:' || parsed.protocol === 'https:') return parsed;
  } catch {
    // Said below, with what was wrong.
  }
  throw invalidPayload(`http: ${JSON.stringify(url)} is no http or https URL`);
}

function readHeaders(headers: Json): Headers {
  if (headers === null || typeof headers !== 'object' || Array.isArray(headers)) {
    throw invalidPayload('http: "headers" must be an object of strings');
  }
  const read = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') throw invalidPayload(`http: header ${JSON.stringify(name)} must be a string`);
    // Behind one address there may be hosts that are not allowed.
    if (name.toLowerCase() === 'host') throw invalidPayload('http: the header "host" follows from the url');
    setHeader(read, name, value);
  }
  return read;
}

function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch (error) {
    throw invalidPayload(`http: header ${JSON.stringify(name)}: ${(error as Error).message}`);
  }
}

/** Lets the platform find what is wrong with the whole: a GET with a body, credentials in the URL, an odd method. */
function checked(request: HttpRequest): HttpRequest {
  try {
    new Request(request.url, { method: request.method, headers: request.headers, body: request.body });
    return request;
  } catch (error) {
    throw invalidPayload(`http: ${(error as Error).message}`);
  }
}
