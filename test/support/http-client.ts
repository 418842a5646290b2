// Plain requests over real sockets for the tests of the HTTP face. Every answer is held against the OpenAPI document, whatever
// the test itself looks at.

import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { assertDocumented, type SeenAnswer } from './openapi-check.ts';

export interface HttpAnswer extends SeenAnswer {
  /** Parsed; undefined where the body is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it, the test says
  readonly json: any;
}

type Headers = Readonly<Record<string, string | readonly string[]>>;
type Send = (method: string, path: string, body?: unknown, headers?: Headers) => Promise<HttpAnswer>;

export interface HttpClient {
  /** A body that is no text or Buffer goes as JSON. */
  readonly send: Send;
  /** As {@link HttpClient.send}, for streams: the first part of the body, then the connection is cut. */
  readonly firstOf: Send;
  get(path: string, headers?: Headers): Promise<HttpAnswer>;
  /** Must be a 201; the task's id. */
  submit(body?: object): Promise<string>;
}

export function httpClient(url: string): HttpClient {
  const send =
    (read: (response: IncomingMessage) => Promise<string>): Send =>
    async (method, path, body, headers = {}) => {
      const response = await answerTo(url, method, path, body, headers);
      const seen = {
        ...{ method, path, status: response.statusCode ?? 0, headers: flat(response.headers) },
        body: await read(response),
      };
      assertDocumented(seen);
      return { ...seen, json: parsed(seen.body) };
    };
  const whole = send(async (response) => Buffer.concat(await response.toArray()).toString());
  return {
    send: whole,
    firstOf: send(firstPart),
    get: (path, headers) => whole('GET', path, undefined, headers),
    submit: async (body = { type: 'echo', payload: { a: 1 } }) => {
      const { status, json, body: told } = await whole('POST', '/tasks', body);
      assert.equal(status, 201, told);
      return json.id;
    },
  };
}

/** Fails for a problem other than this one. */
export function assertProblem(answer: HttpAnswer, status: number, reason: string): void {
  assert.equal(answer.status, status, answer.body);
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
  assert.equal(answer.json.status, status);
  assert.ok(answer.json.type.endsWith(`/${reason}`), answer.json.type);
  assert.equal(answer.headers['cache-control'], 'no-store');
}

function answerTo(
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Headers,
): Promise<IncomingMessage> {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  const type = body === undefined || isRaw ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    // The path goes out as it is, `..` and all.
    const { hostname, port } = new URL(url);
    const all = { ...type, ...headers } as Record<string, string | string[]>;
    const request = httpRequest({ hostname, port, method, path, headers: all, agent: false }, resolve);
    request.once('error', reject);
    request.end(body === undefined || isRaw ? body : JSON.stringify(body));
  });
}

function firstPart(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    response.once('end', () => resolve(''));
    response.once('data', (chunk: Buffer) => {
      resolve(chunk.toString());
      response.destroy();
    });
  });
}

function flat(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value?.toString()]));
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
