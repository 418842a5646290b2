// Goal: what is held for all clients together stays within its bound, whoever is slow; the one for whom bytes have been held longest goes first, once,
// and nobody who has ended goes. Method: by example, and against a model at random.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeldBytes, type Hold } from '../../../gateway/held-bytes.ts';

test('up to the bound nobody goes; over it the oldest do, as many as are needed', () => {
  const held = new HeldBytes(10);
  const gone: string[] = [];
  const hold = (name: string, bytes: number) => held.hold(bytes, () => gone.push(name));
  hold('a', 4);
  hold('b', 4);
  const c = hold('c', 2);
  assert.deepEqual([gone, held.bytes], [[], 10]);
  c.add(1);
  assert.deepEqual([gone, held.bytes], [['a'], 7]);
  hold('d', 9);
  assert.deepEqual([gone, held.bytes, held.letGo], [['a', 'b', 'c'], 9, 3]);
});

test('what has ended counts no more, and does not go; nor does it go twice', () => {
  const held = new HeldBytes(10);
  const first = held.hold(8, () => assert.fail('it has ended'));
  first.end();
  first.end();
  first.add(100);
  assert.equal(held.bytes, 0);
  let gone = 0;
  const second = held.hold(8, () => {
    gone += 1;
    second.end();
  });
  held.hold(8, () => undefined);
  second.add(100);
  assert.deepEqual([gone, held.bytes], [1, 8]);
});

test('one alone that is over the bound goes itself', () => {
  const held = new HeldBytes(10);
  let gone = 0;
  held.hold(11, () => {
    gone += 1;
  });
  assert.deepEqual([gone, held.bytes], [1, 0]);
});

test('as a model that keeps a list', () => {
  const step = fc.record({ kind: fc.constantFrom('hold', 'add', 'end'), which: fc.nat(20), bytes: fc.nat(6) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held = new HeldBytes(12);
      const holds: Hold[] = [];
      const gone: number[] = [];
      let model: { readonly id: number; bytes: number }[] = [];
      const expected: number[] = [];
      for (const { kind, which, bytes } of steps) {
        const known = model.find(({ id }) => id === which);
        if (kind === 'hold') {
          const id = holds.length;
          model.push({ id, bytes });
          holds.push(held.hold(bytes, () => gone.push(id)));
        } else if (kind === 'add') {
          holds[which]?.add(bytes);
          if (known) known.bytes += bytes;
        } else {
          holds[which]?.end();
          model = model.filter(({ id }) => id !== which);
        }
        const sum = () => model.reduce((all, one) => all + one.bytes, 0);
        while (sum() > 12) expected.push(model.shift()?.id ?? -1);
        assert.deepEqual([held.bytes, gone], [sum(), expected]);
      }
    }),
  );
});
