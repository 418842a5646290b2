// Goal: a failure of the ensemble says to clients what they may do next. Method: each kind of failure, turned into an error
// of the API.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CoordinationError } from '../../../coordination/coordination-error.ts';
import { ServiceError } from '../../../domain/errors.ts';
import { retryAfterMsOf } from '../../../gateway/error-mapping.ts';
import { serviceErrorOf } from '../../../gateway/store/store-errors.ts';

it('what was not done can be tried again soon', () => {
  const error = serviceErrorOf(new CoordinationError('connection_lost', 'not applied', 'x'));
  assert.ok(error instanceof ServiceError);
  assert.deepEqual([error.reason, retryAfterMsOf(error)], ['coordination-unavailable', 1000]);
});

it('what ZooKeeper refuses is told with its code, and who can help', () => {
  const error = serviceErrorOf(CoordinationError.refused(-102, 'x'));
  assert.ok(error instanceof ServiceError);
  assert.equal(error.reason, 'coordination-unavailable');
  assert.match(error.message, /no_auth.*nothing was changed.*ACLs/);
});

it('what may have been done is not to be repeated blindly, so nobody is told when', () => {
  const error = serviceErrorOf(new CoordinationError('connection_lost', 'unknown', 'x'));
  assert.ok(error instanceof ServiceError);
  assert.deepEqual([error.reason, retryAfterMsOf(error)], ['outcome-unknown', null]);
});

it('a bug stays what it is', () => {
  const bug = new TypeError('x');
  assert.equal(serviceErrorOf(bug), bug);
});
