// Operating errors: the expected ways in which a request can fail. One class, one closed list of codes in gRPC's words,
// and a `reason` that clients may rely on (the last part of the problem type in HTTP, ErrorInfo.reason in gRPC). How a
// reason becomes a status line is gateway/error-mapping.ts. Bugs are not in this list: see invariant.ts.

export type ErrorCode =
  | 'invalid_argument'
  | 'not_found'
  | 'permission_denied'
  | 'already_exists'
  | 'failed_precondition'
  | 'resource_exhausted'
  | 'unavailable'
  | 'deadline_exceeded'
  | 'internal';

/** Stable names of what went wrong, with the code that each has. */
export const errorReasons = {
  'invalid-request': 'invalid_argument',
  'payload-too-large': 'invalid_argument',
  'batch-too-large': 'invalid_argument',
  'body-too-large': 'invalid_argument',
  'headers-too-large': 'invalid_argument',
  'request-timeout': 'deadline_exceeded',
  'unsupported-media-type': 'invalid_argument',
  'method-not-allowed': 'invalid_argument',
  'cross-origin': 'permission_denied',
  'route-not-found': 'not_found',
  'task-not-found': 'not_found',
  'schedule-not-found': 'not_found',
  'idempotency-key-reused': 'already_exists',
  'task-not-final': 'failed_precondition',
  'task-already-final': 'failed_precondition',
  'task-not-retryable': 'failed_precondition',
  'task-unreadable': 'failed_precondition',
  'dependency-not-found': 'failed_precondition',
  'idempotency-key-unreadable': 'failed_precondition',
  'queue-unreadable': 'failed_precondition',
  'schedule-unreadable': 'failed_precondition',
  'queue-full': 'resource_exhausted',
  'too-many-waits': 'resource_exhausted',
  'too-many-requests': 'resource_exhausted',
  'too-many-queues': 'resource_exhausted',
  'too-many-schedules': 'resource_exhausted',
  'too-many-connections': 'resource_exhausted',
  'sequence-exhausted': 'resource_exhausted',
  'no-leader': 'unavailable',
  'coordination-unavailable': 'unavailable',
  'outcome-unknown': 'unavailable',
  'shutting-down': 'unavailable',
  'internal-error': 'internal',
} as const satisfies Record<string, ErrorCode>;
export type ErrorReason = keyof typeof errorReasons;

/** One fault of a request, with a JSON pointer (RFC 6901) to the place. */
export interface FieldFault {
  readonly pointer: string;
  readonly detail: string;
}

export interface ServiceErrorOptions {
  /** Kept for the log, never sent. */
  readonly cause?: unknown;
  readonly faults?: readonly FieldFault[];
  /** How long a client should wait before it tries again. */
  readonly retryAfterMs?: number;
}

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly faults: readonly FieldFault[];
  readonly retryAfterMs: number | null;

  /** `message` is for people: what is wrong, where, and what to do next. */
  constructor(
    readonly reason: ErrorReason,
    message: string,
    options: ServiceErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = errorReasons[reason];
    this.faults = options.faults ?? [];
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
