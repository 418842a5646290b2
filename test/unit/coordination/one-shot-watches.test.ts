// Goal: a watch fires once, for all who wait for it, and leaves nothing behind; what is set again fits into packets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OneShotWatches } from '../../../coordination/one-shot-watches.ts';
import { limits } from '../../../domain/limits.ts';

test('fires once, for everybody who waits', () => {
  const watches = new OneShotWatches();
  const fired: string[] = [];
  for (const who of ['a', 'b']) watches.add('/p', () => fired.push(who));
  watches.fire('/other');
  watches.fire('/p');
  watches.fire('/p');
  assert.deepEqual(fired, ['a', 'b']);
  assert.equal(watches.size, 0);
});

test('taken back: not called, and nothing is left; a newer watch of the same path stays', () => {
  const watches = new OneShotWatches();
  const first = watches.add('/p', () => assert.fail());
  first();
  assert.equal(watches.size, 0);
  let fired = 0;
  watches.add('/p', () => {
    fired += 1;
  });
  first();
  watches.fire('/p');
  assert.equal(fired, 1);
});

test('a listener that watches again while it is called waits for the next change', () => {
  const watches = new OneShotWatches();
  let calls = 0;
  const again = () => {
    calls += 1;
    watches.add('/p', again);
  };
  watches.add('/p', again);
  watches.fire('/p');
  assert.equal(calls, 1);
  watches.fire('/p');
  assert.equal(calls, 2);
});

test('the end of the session fires all', () => {
  const watches = new OneShotWatches();
  const fired: string[] = [];
  for (const path of ['/a', '/b']) watches.add(path, () => fired.push(path));
  watches.fireAll();
  assert.deepEqual(fired, ['/a', '/b']);
  assert.equal(watches.size, 0);
});

test('groups hold every watch once, by what the server has set, within the limit', () => {
  const paths = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }), { maxLength: 40 });
  const filler = 'x'.repeat(limits.setWatchesBytesMax / 10);
  fc.assert(
    fc.property(paths, fc.array(fc.nat(39)), (names, existing) => {
      const watches = new OneShotWatches();
      const all = names.map((name) => `/${filler}${name}`);
      for (const path of all) watches.add(path, () => undefined);
      const data = new Set(existing.map((i) => all[i]).filter((path) => path !== undefined));
      for (const path of all) watches.setKind(path, data.has(path) ? 'data' : 'exist');
      watches.add('/unanswered', () => undefined);
      const groups = watches.groups('/chroot');
      const bytes = (group: { data: string[]; exist: string[] }) =>
        [...group.data, ...group.exist].reduce((sum, path) => sum + 4 + Buffer.byteLength(path), 0);
      assert.ok(groups.every((group) => bytes(group) <= limits.setWatchesBytesMax));
      const flat = (kind: 'data' | 'exist') => groups.flatMap((group) => group[kind]).sort();
      assert.deepEqual(flat('data'), [...data].map((path) => `/chroot${path}`).sort());
      assert.deepEqual(
        flat('exist'),
        all
          .filter((path) => !data.has(path))
          .map((path) => `/chroot${path}`)
          .sort(),
      );
    }),
    { numRuns: 50 },
  );
});
