// Goal: whatever a handler returns either is kept exactly as JSON or fails with `invalid_result` and a clear message.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../../domain/limits.ts';
import { HandlerFailure } from '../../../services/worker/handlers/handler-failure.ts';
import { resultText } from '../../../services/worker/handlers/handler-result.ts';

function refused(value: unknown, message: RegExp): void {
  assert.throws(
    () => resultText(value),
    (error) => error instanceof HandlerFailure && error.code === 'invalid_result' && message.test(error.message),
  );
}

test('any JSON value is kept as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      assert.deepEqual(JSON.parse(resultText(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('undefined is null, an undefined member is left out, toJSON is used', () => {
  assert.equal(resultText(undefined), 'null');
  assert.equal(resultText({ a: undefined, b: 1 }), '{"b":1}');
  assert.equal(resultText(new Date(0)), '"1970-01-01T00:00:00.000Z"');
  assert.equal(
    resultText(
      new (class Point {
        x = 1;
      })(),
    ),
    '{"x":1}',
  );
});

test('what JSON cannot hold is refused by name', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  refused(Number.NaN, /it is NaN/);
  refused({ rate: Number.POSITIVE_INFINITY }, /member "rate" is Infinity/);
  refused({ id: 1n }, /member "id" is a bigint/);
  refused(() => 1, /it is a function/);
  refused([Symbol('x')], /member "0" is a symbol/);
  refused([undefined], /undefined in an array/);
  refused(cycle, /circular/i);
  refused(new Map(), /it is a Map/);
  refused({ error: new Error('x') }, /member "error" is a Error/);
  refused(Promise.resolve(), /it is a Promise/);
  refused(new Uint8Array(3), /it is a Uint8Array/);
  refused(
    {
      get broken() {
        throw new Error('no value here');
      },
    },
    /no value here/,
  );
});

test('depth and size have limits', () => {
  const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown;
  resultText(nested(limits.jsonDepthMax));
  refused(nested(limits.jsonDepthMax + 1), /nested deeper than 32/);
  refused(nested(5000), /nested deeper than 32/);
  resultText('x'.repeat(limits.resultBytesMax - 2));
  refused('x'.repeat(limits.resultBytesMax - 1), /262144 bytes/);
  refused('\u0001'.repeat(limits.resultBytesMax / 4), /262144 bytes/);
  refused(new Array(10_000_000).fill(0), /262144 bytes/);
});
