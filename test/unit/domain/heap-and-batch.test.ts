// Goal: the heap gives its items in order whatever went in and came out between, and a batch is the longest beginning that
// fits. Method: properties.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchLength } from '../../../domain/batch.ts';
import { Heap } from '../../../domain/heap.ts';

const less = (a: number, b: number) => a < b;

function drained(heap: Heap<number>): number[] {
  const items: number[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) items.push(item);
  return items;
}

test('a heap gives its items in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const heap = new Heap(less);
      for (const item of items) heap.push(item);
      assert.equal(heap.size, items.length);
      assert.equal(heap.peek(), items.length === 0 ? undefined : Math.min(...items));
      assert.deepEqual(
        drained(heap),
        items.toSorted((a, b) => a - b),
      );
    }),
  );
});

test('a heap is a sorted list, whatever the order of pushes, pops and tidying', () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 0, max: 50 }) }),
    fc.constant('pop' as const),
    fc.record({ keepOver: fc.integer({ min: 0, max: 50 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new Heap(less);
      let model: number[] = [];
      for (const each of steps) {
        if (each === 'pop') assert.equal(heap.pop(), model.shift());
        else if ('push' in each) {
          heap.push(each.push);
          model = [...model, each.push].sort((a, b) => a - b);
        } else {
          heap.retain((item) => item > each.keepOver);
          model = model.filter((item) => item > each.keepOver);
        }
        assert.equal(heap.peek(), model[0]);
      }
      assert.deepEqual(drained(heap), model);
    }),
  );
});

test('a batch is the longest beginning within both limits, and never empty where there is work', () => {
  const unit = fc.record({ operations: fc.integer({ min: 1, max: 20 }), bytes: fc.integer({ min: 0, max: 100 }) });
  fc.assert(
    fc.property(
      fc.array(unit),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 300 }),
      (units, ops, bytes) => {
        const length = batchLength(units, ops, bytes);
        const fits = (count: number) => {
          const taken = units.slice(0, count);
          const sum = (of: 'operations' | 'bytes') => taken.reduce((total, each) => total + each[of], 0);
          return sum('operations') <= ops && sum('bytes') <= bytes;
        };
        if (units.length === 0) return assert.equal(length, 0);
        assert.ok(length === 1 || fits(length));
        if (length < units.length) assert.ok(!fits(length + 1));
      },
    ),
  );
});
