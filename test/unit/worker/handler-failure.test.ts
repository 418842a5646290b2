// Goal: whatever a handler throws becomes a readable error of bounded length, and nothing thrown makes the reading throw.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../../domain/limits.ts';
import { failureOf, HandlerFailure } from '../../../services/worker/handlers/handler-failure.ts';
import { handlerLimits } from '../../../services/worker/handlers/handler-limits.ts';

test('an error keeps its message, retryable and retryAfterMs', () => {
  const error = Object.assign(new Error('no'), { retryable: false, retryAfterMs: 12.5 });
  const { stack, ...failure } = failureOf(error);
  const told = { code: 'handler_error', message: 'no', retryable: false, retryAfterMs: 13, ignored: [] };
  assert.deepEqual([failure, stack], [told, error.stack]);
  assert.equal(failureOf(new HandlerFailure('exit_code', 'x')).code, 'exit_code');
  assert.equal(failureOf(Object.assign(new Error('x'), { code: 'exit_code' })).code, 'handler_error');
});

test('only false ends the task, and only a number sets the delay', () => {
  assert.equal(failureOf({ message: 'x', retryable: 0 }).retryable, true);
  for (const retryAfterMs of ['5', -1, Number.NaN, null]) {
    const failure = failureOf({ message: 'x', retryAfterMs });
    assert.deepEqual([failure.retryAfterMs, failure.ignored.length], [null, retryAfterMs === null ? 0 : 1]);
  }
  for (const retryable of [undefined, null, true, false]) assert.deepEqual(failureOf({ retryable }).ignored, []);
  assert.deepEqual(
    failureOf({ retryable: 'x'.repeat(1000) }).ignored.map(({ length }) => length < 200),
    [true],
  );
  assert.equal(failureOf({ retryAfterMs: Number.POSITIVE_INFINITY }).retryAfterMs, limits.backoffDelayMsMax);
});

test('anything can be thrown', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (thrown) => {
      const { message, stack } = failureOf(thrown);
      assert.ok(message.length > 0 && message.length <= limits.errorMessageCharactersMax);
      assert.ok(stack.length > 0 && stack.length <= handlerLimits.failureStackCharactersMax);
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

test('the stack has those of all causes, each once, and those of a failure from a thread', () => {
  const inner = new TypeError('inner');
  const outer = new Error('outer', { cause: inner });
  inner.cause = outer;
  assert.equal(failureOf(outer).stack, `${outer.stack}\ncaused by: ${inner.stack}`);
  assert.match(failureOf(new Error('x', { cause: 'a word' })).stack, /\ncaused by: a word$/);
  assert.match(failureOf({ message: 'x', name: 'Odd' }).stack, /^Odd: x$/);
  let deep = new Error('0');
  for (let i = 1; i < 100; i += 1) deep = Object.assign(new Error(String(i), { cause: deep }), { stack: String(i) });
  assert.equal(failureOf(deep).stack.split('\n').length, handlerLimits.failureCausesMax);
  const failure = { ...failureOf(outer), code: 'exit_code' as const, ignored: ['retryable is 7'] };
  assert.deepEqual(failureOf(HandlerFailure.of(failure)), failure);
});
