// Reads the body of a request as JSON: declared as such, UTF-8, of bounded size, not compressed (a few bytes could
// become gigabytes). Express's own JSON reader would take other charsets and says less about what is wrong.

import express, { type Request, type RequestHandler } from 'express';
import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';

const jsonType = /^\s*application\/json\s*(?:;(.*))?$/i;
const charset = /(?:^|;)\s*charset\s*=\s*"?([^\s;"]*)"?/i;

/** To be run in this order before a handler that calls {@link parsedBody}. */
export const jsonBody: RequestHandler[] = [
  (request, _response, next) => {
    requireJsonType(request.headers['content-type']);
    next();
  },
  express.raw({ type: () => true, limit: limits.requestBodyBytesMax, inflate: false }),
];

function requireJsonType(contentType: string | undefined): void {
  const match = jsonType.exec(contentType ?? '');
  const encoding = charset.exec(match?.[1] ?? '')?.[1]?.toLowerCase() ?? 'utf-8';
  if (match && (encoding === 'utf-8' || encoding === 'utf8')) return;
  const got = contentType === undefined ? 'none' : JSON.stringify(contentType.slice(0, 100));
  throw new ServiceError(
    'unsupported-media-type',
    `The body has to be JSON in UTF-8 and say so: Content-Type: application/json (it was ${got}).`,
  );
}

/** Throws 'invalid-request' for what is no UTF-8 or no JSON. */
export function parsedBody(request: Request): unknown {
  if (!Buffer.isBuffer(request.body) || request.body.length === 0) throw unreadable('there is none');
  return parseJson(decodeUtf8(request.body));
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unreadable('it is no valid UTF-8');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : 'it is no JSON');
  }
}

function unreadable(detail: string): ServiceError {
  return new ServiceError('invalid-request', `The body of the request cannot be read: ${detail}.`);
}
