// Goal: a condition that several units have stands once, where that changes nothing, and each unit still finds its results and
// its refusals.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedTransaction, sharableLength } from '../../../coordination/shared-transaction.ts';
import type { Operation, OperationResult } from '../../../coordination/zookeeper-requests.ts';

const data = Buffer.alloc(0);
const check = (path: string, version = 1): Operation => ({ kind: 'check', path, version });
const create = (path: string): Operation => ({ kind: 'create', path, data, mode: 'persistent' });
const set = (path: string): Operation => ({ kind: 'set', path, data, version: 1 });

const words = ({ operations }: SharedTransaction) => operations.map(({ kind, path }) => `${kind} ${path}`);

test('the same condition of several units stands once; results and refusals find their unit', () => {
  const units = [
    [check('/t/1'), check('/w'), create('/a/1')],
    [check('/t/2'), check('/w'), create('/a/2')],
  ];
  const transaction = new SharedTransaction([check('/guard')], units);
  assert.deepEqual(words(transaction), [
    ...['check /guard', 'check /t/1', 'check /w', 'create /a/1'],
    ...['check /t/2', 'create /a/2'],
  ]);
  const results: OperationResult[] = transaction.operations.map(({ path }) => ({ path, stat: null, zxid: 1n }));
  assert.deepEqual(
    transaction.resultsOf(1, results).map(({ path }) => path),
    ['/t/2', '/w', '/a/2'],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((place) => transaction.ownersOf(place)),
    [
      [],
      [{ unit: 0, index: 0 }],
      [
        { unit: 0, index: 1 },
        { unit: 1, index: 1 },
      ],
      [{ unit: 0, index: 2 }],
      [{ unit: 1, index: 0 }],
      [{ unit: 1, index: 2 }],
    ],
  );
});

test('another version, and a condition after a change of what it is about, stand for themselves', () => {
  const other = new SharedTransaction([], [[check('/w', 1)], [check('/w', 2)], [check('/w', 2)]]);
  assert.deepEqual(words(other), ['check /w', 'check /w']);
  const changed = new SharedTransaction([], [[check('/w')], [set('/w')], [check('/w')]]);
  assert.deepEqual(words(changed), ['check /w', 'set /w', 'check /w']);
});

test('a guard that a unit has, too, stands twice, so that its refusal is known for a guard', () => {
  const transaction = new SharedTransaction([check('/w')], [[check('/w')]]);
  assert.equal(transaction.operations.length, 2);
  assert.deepEqual(transaction.ownersOf(0), []);
});

test('as many units as create no znode twice may share a transaction; of sequential ones each makes its own', () => {
  const create = (path: string, mode: 'persistent' | 'sequential' = 'persistent'): Operation => {
    return { kind: 'create', path, data: Buffer.alloc(0), mode };
  };
  assert.equal(sharableLength([[create('/a')], [check('/a'), create('/b')], [create('/c'), create('/a')], []]), 2);
  assert.equal(sharableLength([[create('/s-', 'sequential')], [create('/s-', 'sequential')]]), 2);
  assert.equal(sharableLength([[create('/a'), create('/a')], [create('/b')]]), 1); // to be refused by itself
});
