// Errors of the HTTP face: RFC 9457 problem documents, with Retry-After where waiting helps. Every error answer is made
// here, also those of express and of its body reader.

import type { ErrorRequestHandler, Response } from 'express';
import { type FieldFault, ServiceError } from '../../domain/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { httpStatusOf, retryAfterMsOf, titleOf } from '../error-mapping.ts';
import { reportUnexpected } from '../unexpected-error.ts';

/** A name, not an address: `.invalid` never resolves (RFC 2606). The last part is the error's reason. */
export const problemTypeBase = 'https://taskkeeper.invalid/problems/';

interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly FieldFault[];
}

export function problemOf(error: ServiceError): ProblemDocument {
  return {
    type: problemTypeBase + error.reason,
    title: titleOf(error.reason),
    status: httpStatusOf(error.reason),
    detail: error.message,
    ...(error.faults.length > 0 && { errors: error.faults }),
  };
}

export function sendProblem(response: Response, error: ServiceError): void {
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs !== null) response.set('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  const problem = problemOf(error);
  response
    .status(problem.status)
    .set('Cache-Control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(problem));
}

/** The last handler of the app. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (error, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    sendProblem(response, serviceErrorOf(error) ?? reportUnexpected(error, log));
  };
}

/** Null for what is no fault of the request. */
function serviceErrorOf(error: unknown): ServiceError | null {
  if (error instanceof ServiceError) return error;
  // The router decodes path parameters; one that cannot be decoded names nothing that exists.
  if (error instanceof URIError) return new ServiceError('route-not-found', 'There is nothing at this address.');
  return bodyReaderError(error);
}

/** body-parser's errors (https://github.com/expressjs/body-parser#errors) carry a status and a type. */
function bodyReaderError(error: unknown): ServiceError | null {
  if (!(error instanceof Error) || !('status' in error)) return null;
  switch (error.status) {
    case 413:
      return new ServiceError('body-too-large', `The body of the request is too large: ${error.message}.`);
    case 415:
      return new ServiceError('unsupported-media-type', 'A compressed body is not taken; send it as it is.');
    case 400:
      return new ServiceError('invalid-request', `The body of the request cannot be read: ${error.message}.`);
    default:
      return null;
  }
}
