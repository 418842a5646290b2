// Goal: a gateway counts each of its own submits until the master has, however long that takes. Method: examples.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UncountedSubmits } from '../../../domain/uncounted-submits.ts';

it('what is under way counts, and what came of it', () => {
  const own = new UncountedSubmits();
  own.begin(3);
  own.begin(2);
  assert.equal(own.size, 5);
  own.end(3, [7, 8, 9]);
  own.end(2, []); // refused
  assert.equal(own.size, 3);
});

it('a count takes out what it has, and nothing else', () => {
  const own = new UncountedSubmits();
  own.begin(4);
  own.end(4, [5, 6, 7, 8]);
  own.begin(1);
  own.counted(7);
  assert.equal(own.size, 3, '7, 8 and the one under way');
  own.counted(Number.POSITIVE_INFINITY);
  assert.equal(own.size, 1);
});

it('what was counted before the answer to us came is not counted twice, though no other count comes', () => {
  const own = new UncountedSubmits();
  own.begin(3);
  own.counted(8);
  own.counted(Number.POSITIVE_INFINITY); // it does not say what it has
  own.end(3, [6, 7, 8]);
  assert.equal(own.size, 1, '8');
});

it('numbers that no count will ever reach do not stay for ever', () => {
  const own = new UncountedSubmits();
  own.begin(1);
  own.end(1, [1_000_000]);
  for (let count = 0; count < 10; count += 1) own.counted(5);
  assert.equal(own.size, 1);
  own.counted(5);
  assert.equal(own.size, 0);
});
