// Errors of the HTTP face: RFC 9457 problem documents, with Retry-After where waiting helps. Every error answer is made
// here, but for those of requests that never became one (refused-connections.ts).

import type { ErrorRequestHandler, Response } from 'express';
import { type FieldFault, ServiceError } from '../../domain/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { httpStatusOf, retryAfterMsOf, titleOf } from '../error-mapping.ts';
import { reportUnexpected } from '../unexpected-error.ts';
import { sendBeforeTheEnd, sendText } from './json-answer.ts';

/** A name, not an address: `.invalid` never resolves (RFC 2606). The last part is the error's reason. */
export const problemTypeBase = 'https://taskkeeper.invalid/problems/';

export const problemMediaType = 'application/problem+json';

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

/** Null where waiting is not known to help. */
export function retryAfterSecondsOf(error: ServiceError): number | null {
  const retryAfterMs = retryAfterMsOf(error);
  return retryAfterMs === null ? null : Math.max(1, Math.ceil(retryAfterMs / 1000));
}

export function sendProblem(response: Response, error: ServiceError): void {
  const retryAfterS = retryAfterSecondsOf(error);
  if (retryAfterS !== null) response.setHeader('Retry-After', retryAfterS);
  const problem = problemOf(error);
  response.status(problem.status).setHeader('Cache-Control', 'no-store');
  const content = JSON.stringify(problem);
  if (error.reason === 'body-too-large') sendBeforeTheEnd(response, problemMediaType, content);
  else sendText(response, problemMediaType, content);
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
  return null;
}
