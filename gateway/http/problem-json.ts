// Errors of the HTTP face: RFC 9457 problem documents, with Retry-After where waiting helps. Every error answer is made
// here, but for those of requests that never became one (refusals.ts).

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ErrorRequestHandler } from 'express';
import { type ErrorReason, type FieldFault, ServiceError } from '../../domain/errors.ts';
import { httpStatusOf, retryAfterMsOf, titleOf } from '../error-mapping.ts';
import type { FailureReport } from '../failure-report.ts';
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

/** Told while the body of the request is still coming. */
const unfinished: ReadonlySet<ErrorReason> = new Set(['body-too-large', 'request-timeout']);

export function sendProblem(response: ServerResponse, error: ServiceError, headers: OutgoingHttpHeaders = {}): void {
  const retryAfterS = retryAfterSecondsOf(error);
  const problem = problemOf(error);
  const send = unfinished.has(error.reason) ? sendBeforeTheEnd : sendText;
  send(response, problem.status, problemMediaType, JSON.stringify(problem), {
    ...(retryAfterS !== null && { 'Retry-After': retryAfterS }),
    ...headers,
  });
}

/** The last handler of the app. */
export function problemHandler(failures: FailureReport): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error, _request, response, _next) => {
    const problem = failures(faultOfPath(error) ?? error);
    // In the middle of an answer, its end without a proper end is all that can still be told.
    if (response.headersSent) response.destroy();
    else sendProblem(response, problem);
  };
}

/** The router decodes path parameters; one that cannot be decoded names nothing that exists. */
function faultOfPath(error: unknown): ServiceError | null {
  return error instanceof URIError ? new ServiceError('route-not-found', 'There is nothing at this address.') : null;
}
