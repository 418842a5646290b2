// The one table from an error's reason to what each face says: HTTP status and title, gRPC code. Both faces read only
// this, so that they cannot tell different stories about the same failure.

import { status as grpcStatus } from '@grpc/grpc-js';
import { type ErrorCode, type ErrorReason, errorReasons, type ServiceError } from '../domain/errors.ts';

interface HttpMeaning {
  readonly httpStatus: number;
  readonly title: string;
  /** Told to clients where the error itself names no time; null where waiting does not help. */
  readonly retryAfterMs: number | null;
}

const retrySoonMs = 1000;

const httpMeanings: Readonly<Record<ErrorReason, HttpMeaning>> = {
  'invalid-request': { httpStatus: 400, title: 'Request does not fit', retryAfterMs: null },
  'payload-too-large': { httpStatus: 413, title: 'Payload too large', retryAfterMs: null },
  'batch-too-large': { httpStatus: 413, title: 'Batch too large', retryAfterMs: null },
  'body-too-large': { httpStatus: 413, title: 'Request body too large', retryAfterMs: null },
  'headers-too-large': { httpStatus: 431, title: 'Request headers too large', retryAfterMs: null },
  'request-timeout': { httpStatus: 408, title: 'Request took too long to arrive', retryAfterMs: null },
  'unsupported-media-type': { httpStatus: 415, title: 'Unsupported media type', retryAfterMs: null },
  'method-not-allowed': { httpStatus: 405, title: 'Method not allowed', retryAfterMs: null },
  'cross-origin': { httpStatus: 403, title: 'Asked by a page of another origin', retryAfterMs: null },
  'route-not-found': { httpStatus: 404, title: 'No such address', retryAfterMs: null },
  'task-not-found': { httpStatus: 404, title: 'No such task', retryAfterMs: null },
  'schedule-not-found': { httpStatus: 404, title: 'No such schedule', retryAfterMs: null },
  'idempotency-key-reused': {
    httpStatus: 422,
    title: 'Idempotency key used with another request',
    retryAfterMs: null,
  },
  'task-not-final': { httpStatus: 409, title: 'Task is not final', retryAfterMs: null },
  'task-already-final': { httpStatus: 409, title: 'Task is final already', retryAfterMs: null },
  'task-not-retryable': { httpStatus: 409, title: 'Task cannot be retried', retryAfterMs: null },
  'task-unreadable': { httpStatus: 409, title: 'Task cannot be read', retryAfterMs: null },
  'idempotency-key-unreadable': { httpStatus: 409, title: 'Idempotency key cannot be read', retryAfterMs: null },
  'dependency-not-found': { httpStatus: 409, title: 'No such task to come after', retryAfterMs: null },
  'queue-unreadable': { httpStatus: 409, title: 'Queue settings cannot be read', retryAfterMs: null },
  'schedule-unreadable': { httpStatus: 409, title: 'Schedule cannot be read', retryAfterMs: null },
  'queue-full': { httpStatus: 429, title: 'Queue full', retryAfterMs: retrySoonMs },
  'too-many-waits': { httpStatus: 429, title: 'Too many waiting requests', retryAfterMs: retrySoonMs },
  'too-many-requests': { httpStatus: 429, title: 'Too many requests at once', retryAfterMs: retrySoonMs },
  'too-many-queues': { httpStatus: 429, title: 'Too many queues with settings', retryAfterMs: null },
  'too-many-schedules': { httpStatus: 429, title: 'Too many schedules', retryAfterMs: null },
  'too-many-connections': { httpStatus: 503, title: 'Too many connections', retryAfterMs: retrySoonMs },
  'sequence-exhausted': { httpStatus: 503, title: 'Task numbers used up', retryAfterMs: null },
  'no-leader': { httpStatus: 503, title: 'No master leads', retryAfterMs: retrySoonMs },
  'coordination-unavailable': {
    httpStatus: 503,
    title: 'Coordination service unavailable',
    retryAfterMs: retrySoonMs,
  },
  // No hint to try again: without an idempotency key a blind repetition may make a second task.
  'outcome-unknown': { httpStatus: 503, title: 'Outcome unknown', retryAfterMs: null },
  'shutting-down': { httpStatus: 503, title: 'Shutting down', retryAfterMs: retrySoonMs },
  'internal-error': { httpStatus: 500, title: 'Internal error', retryAfterMs: null },
};

const grpcCodes: Readonly<Record<ErrorCode, grpcStatus>> = {
  invalid_argument: grpcStatus.INVALID_ARGUMENT,
  permission_denied: grpcStatus.PERMISSION_DENIED,
  not_found: grpcStatus.NOT_FOUND,
  already_exists: grpcStatus.ALREADY_EXISTS,
  failed_precondition: grpcStatus.FAILED_PRECONDITION,
  resource_exhausted: grpcStatus.RESOURCE_EXHAUSTED,
  unavailable: grpcStatus.UNAVAILABLE,
  deadline_exceeded: grpcStatus.DEADLINE_EXCEEDED,
  internal: grpcStatus.INTERNAL,
};

export function httpStatusOf(reason: ErrorReason): number {
  return httpMeanings[reason].httpStatus;
}

export function titleOf(reason: ErrorReason): string {
  return httpMeanings[reason].title;
}

export function grpcCodeOf(reason: ErrorReason): grpcStatus {
  return grpcCodes[errorReasons[reason]];
}

/** How long a client should wait before it tries again; null where no time is known to help. */
export function retryAfterMsOf(error: ServiceError): number | null {
  return error.retryAfterMs ?? httpMeanings[error.reason].retryAfterMs;
}

/** True where the reason alone says that trying again later helps. */
export function hasRetryAfter(reason: ErrorReason): boolean {
  return httpMeanings[reason].retryAfterMs !== null;
}
