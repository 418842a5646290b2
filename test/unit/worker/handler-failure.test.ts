// Goal: whatever a handler throws becomes a readable error of bounded length, and nothing thrown makes the reading throw.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../../domain/limits.ts';
import { failureOf, HandlerFailure } from '../../../services/worker/handlers/handler-failure.ts';

test('an error keeps its message, retryable and retryAfterMs', () => {
  const error = Object.assign(new Error('no'), { retryable: false, retryAfterMs: 12.5 });
  assert.deepEqual(failureOf(error), { code: 'handler_error', message: 'no', retryable: false, retryAfterMs: 13 });
  assert.equal(failureOf(new HandlerFailure('exit_code', 'x')).code, 'exit_code');
  assert.equal(failureOf(Object.assign(new Error('x'), { code: 'exit_code' })).code, 'handler_error');
});

test('only false ends the task, and only a number sets the delay', () => {
  assert.equal(failureOf({ message: 'x', retryable: 0 }).retryable, true);
  for (const retryAfterMs of ['5', -1, Number.NaN, null]) {
    assert.equal(failureOf({ message: 'x', retryAfterMs }).retryAfterMs, null);
  }
  assert.equal(failureOf({ retryAfterMs: Number.POSITIVE_INFINITY }).retryAfterMs, limits.backoffDelayMsMax);
});

test('anything can be thrown', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (thrown) => {
      const { message } = failureOf(thrown);
      assert.ok(message.length > 0 && message.length <= limits.errorMessageCharactersMax);
    }),
  );
  const hostile = {
    get message() {
      throw new Error('gotcha');
    },
  };
  assert.equal(failureOf(hostile).message, 'the handler threw something unreadable');
  assert.equal(failureOf('text').message, 'text');
  assert.equal(failureOf(undefined).message, 'the handler threw undefined');
  assert.equal(failureOf(new TypeError()).message, 'TypeError');
});

test('a long message is cut between characters', () => {
  const { message } = failureOf(new Error(`x${'😀'.repeat(limits.errorMessageCharactersMax)}`));
  assert.equal(message.length, limits.errorMessageCharactersMax - 1);
  assert.ok(message.endsWith('😀'));
});
