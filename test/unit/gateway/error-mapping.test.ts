// Goal: each reason keeps its HTTP status and its gRPC code, which clients rely on. Method: the whole table, written down
// a second time.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type ErrorReason, errorReasons, ServiceError } from '../../../domain/errors.ts';
import { grpcCodeOf, httpStatusOf, retryAfterMsOf, titleOf } from '../../../gateway/error-mapping.ts';

const expected: Record<ErrorReason, [number, status, 'retry' | 'no hint']> = {
  'invalid-request': [400, status.INVALID_ARGUMENT, 'no hint'],
  'payload-too-large': [413, status.INVALID_ARGUMENT, 'no hint'],
  'batch-too-large': [413, status.INVALID_ARGUMENT, 'no hint'],
  'headers-too-large': [431, status.INVALID_ARGUMENT, 'no hint'],
  'request-timeout': [408, status.DEADLINE_EXCEEDED, 'no hint'],
  'body-too-large': [413, status.INVALID_ARGUMENT, 'no hint'],
  'unsupported-media-type': [415, status.INVALID_ARGUMENT, 'no hint'],
  'method-not-allowed': [405, status.INVALID_ARGUMENT, 'no hint'],
  'cross-origin': [403, status.PERMISSION_DENIED, 'no hint'],
  'route-not-found': [404, status.NOT_FOUND, 'no hint'],
  'task-not-found': [404, status.NOT_FOUND, 'no hint'],
  'schedule-not-found': [404, status.NOT_FOUND, 'no hint'],
  'idempotency-key-reused': [422, status.ALREADY_EXISTS, 'no hint'],
  'task-not-final': [409, status.FAILED_PRECONDITION, 'no hint'],
  'task-already-final': [409, status.FAILED_PRECONDITION, 'no hint'],
  'task-not-retryable': [409, status.FAILED_PRECONDITION, 'no hint'],
  'task-unreadable': [409, status.FAILED_PRECONDITION, 'no hint'],
  'idempotency-key-unreadable': [409, status.FAILED_PRECONDITION, 'no hint'],
  'dependency-not-found': [409, status.FAILED_PRECONDITION, 'no hint'],
  'queue-unreadable': [409, status.FAILED_PRECONDITION, 'no hint'],
  'schedule-unreadable': [409, status.FAILED_PRECONDITION, 'no hint'],
  'too-many-schedules': [429, status.RESOURCE_EXHAUSTED, 'no hint'],
  'too-many-queues': [429, status.RESOURCE_EXHAUSTED, 'no hint'],
  'no-leader': [503, status.UNAVAILABLE, 'retry'],
  'queue-full': [429, status.RESOURCE_EXHAUSTED, 'retry'],
  'too-many-waits': [429, status.RESOURCE_EXHAUSTED, 'retry'],
  'too-many-requests': [429, status.RESOURCE_EXHAUSTED, 'retry'],
  'too-many-connections': [503, status.RESOURCE_EXHAUSTED, 'retry'],
  'sequence-exhausted': [503, status.RESOURCE_EXHAUSTED, 'no hint'],
  'coordination-unavailable': [503, status.UNAVAILABLE, 'retry'],
  'outcome-unknown': [503, status.UNAVAILABLE, 'no hint'],
  'shutting-down': [503, status.UNAVAILABLE, 'retry'],
  'internal-error': [500, status.INTERNAL, 'no hint'],
};

it('every reason has its status, code, title and hint', () => {
  assert.deepEqual(Object.keys(expected).sort(), Object.keys(errorReasons).sort());
  for (const [name, [http, grpc, hint]] of Object.entries(expected)) {
    const reason = name as ErrorReason;
    assert.equal(httpStatusOf(reason), http, reason);
    assert.equal(grpcCodeOf(reason), grpc, reason);
    assert.ok(titleOf(reason).length > 0);
    assert.equal(retryAfterMsOf(new ServiceError(reason, '')) !== null, hint === 'retry', reason);
    assert.equal(retryAfterMsOf(new ServiceError(reason, '', { retryAfterMs: 7 })), 7);
  }
});
