// Goal: a time is written as `Date` writes it, whichever was written before, and always as RFC 3339 can.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { timestampText } from '../../../domain/timestamp.ts';

const earliest = Date.parse('0001-01-01T00:00:00.000Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

test('times near each other and far apart, before 1970 too, and fractions of a millisecond', () => {
  const near = fc.tuple(
    fc.integer({ min: earliest, max: latest - 5000 }),
    fc.double({ min: 0, max: 5000, noNaN: true }),
  );
  const time = near.map(([at, later]) => at + later);
  const sameSecond = near.map(([at, later]) => Math.floor(at / 1000) * 1000 + (later % 1000));
  fc.assert(
    fc.property(fc.array(fc.oneof(time, sameSecond)), (times) => {
      for (const at of times) {
        for (const again of [at, at, -at]) {
          const inRange = Math.min(latest, Math.max(earliest, again));
          assert.equal(timestampText(again), new Date(inRange).toISOString());
        }
      }
    }),
  );
});

test('beyond the years of four digits it is the nearest time within', () => {
  assert.equal(timestampText(Number.NEGATIVE_INFINITY), '0001-01-01T00:00:00.000Z');
  assert.equal(timestampText(Number.MAX_VALUE), '9999-12-31T23:59:59.999Z');
  assert.throws(() => timestampText(Number.NaN), RangeError);
});
