// Reads the body of a request as JSON: declared as such, UTF-8, of bounded size, not compressed (a few bytes could
// become gigabytes). Express's own JSON reader would take other charsets, says less about what is wrong, and takes in all of
// a body that is too large before it says so.

import type { Request, Response } from 'express';
import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { type Hold, unfinishedBodies } from '../held-bytes.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const jsonType = /^\s*application\/json\s*(?:;(.*))?$/i;
const charset = /(?:^|;)\s*charset\s*=\s*"?([^\s;"]*)"?/i;

/**
 * Undefined where there is none and none is required. Throws 'invalid-request' for what is no UTF-8 or no JSON,
 * 'unsupported-media-type', and 'body-too-large' as soon as that is known.
 */
export async function readJsonBody(request: Request, response: Response, required: boolean): Promise<unknown> {
  if (!required && !hasBody(request)) return undefined;
  requireJson(request);
  const declaredBytes = Number(request.headers['content-length'] ?? 0);
  if (declaredBytes > limits.requestBodyBytesMax) throw tooLarge();
  if (/^100-continue$/i.test(request.headers.expect ?? '')) response.writeContinue();
  const bytes = await readBytes(request, response);
  if (bytes.length === 0) throw unreadable('there is none');
  return parseJson(decodeUtf8(bytes));
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function requireJson({ headers }: Request): void {
  const contentType = headers['content-type'];
  if (contentType !== 'application/json' && !isJsonInUtf8(contentType ?? '')) {
    const got = contentType === undefined ? 'none' : JSON.stringify(contentType.slice(0, 100));
    throw unsupported(`The body has to be JSON in UTF-8 and say so: Content-Type: application/json (it was ${got}).`);
  }
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding.toLowerCase() !== 'identity') throw unsupported('A compressed body is not taken; send it as it is.');
}

function isJsonInUtf8(contentType: string): boolean {
  const match = jsonType.exec(contentType);
  const encoding = charset.exec(match?.[1] ?? '')?.[1]?.toLowerCase() ?? 'utf-8';
  return match !== null && (encoding === 'utf-8' || encoding === 'utf8');
}

/** The stream is not destroyed when there is too much, or the answer could not be sent. */
function readBytes(request: Request, response: Response): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let hold: Hold | null = null;
    let isOver = false;
    const giveUp = (why: ServiceError) => {
      isOver = true;
      chunks.length = 0;
      bytes = Number.POSITIVE_INFINITY; // the rest is let go by
      hold?.end();
      reject(why);
    };
    const letGo = () => giveUp(tooSlow());
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limits.requestBodyBytesMax) return giveUp(tooLarge());
      chunks.push(chunk);
      if (hold) hold.add(chunk.length);
      else hold = unfinishedBodies.hold(chunk.length, letGo);
    });
    const whole = () => (chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    request.once('end', () => {
      isOver = true;
      resolve(whole());
      hold?.end();
    });
    const notArrived = () => {
      if (!isOver) giveUp(new ServiceError('request-timeout', 'The body of the request has not arrived.'));
    };
    // Nobody is left to answer. A request that is answered before it has arrived tells of its own end no more.
    request.once('error', notArrived);
    response.once('close', notArrived);
  });
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
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

function tooLarge(): ServiceError {
  const detail = `over ${limits.requestBodyBytesMax} bytes`;
  return new ServiceError('body-too-large', `The body of the request is too large: ${detail}.`);
}

function tooSlow(): ServiceError {
  const message =
    'The body of the request has not arrived as a whole, and there is no room for it beside all the others';
  return new ServiceError('request-timeout', `${message}; send it again.`);
}

function unsupported(detail: string): ServiceError {
  return new ServiceError('unsupported-media-type', detail);
}

function unreadable(detail: string): ServiceError {
  return new ServiceError('invalid-request', `The body of the request cannot be read: ${detail}.`);
}
