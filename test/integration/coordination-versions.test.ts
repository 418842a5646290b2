// Goal: a condition on version 0 is one. (The npm client's transactions take 0 for "any version".) And a refused
// transaction says which operation was refused, and leaves nothing behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operation } from '../../coordination/zookeeper-requests.ts';
import { create, openSession } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const { session } = await openSession(wholeFile, zookeeper, { sessionTimeoutMs: 10_000 });

const conditions = {
  check: (path: string, version: number | null): Operation => ({ kind: 'check', path, version }),
  set: (path: string, version: number | null): Operation => ({ kind: 'set', path, data: Buffer.from('set'), version }),
  remove: (path: string, version: number | null): Operation => ({ kind: 'remove', path, version }),
};

for (const [kind, operation] of Object.entries(conditions)) {
  test(`${kind}: version 0 means 0, null means any`, async () => {
    const path = `/version-${kind}`;
    await session.commit([create(path)]);
    await session.commit([conditions.check(path, 0), conditions.set(path, 0)]);
    const refused = { code: 'bad_version', outcome: 'not applied', operationIndex: 1 };
    await assert.rejects(session.commit([create(`${path}-never`), operation(path, 0)]), refused);
    await assert.rejects(session.commit([create(`${path}-never`), operation(path, 2)]), refused);
    assert.equal(await session.exists(`${path}-never`), null);
    assert.equal((await session.exists(path))?.version, 1);
    await session.commit([operation(path, 1)]);
    if (kind === 'remove') await session.commit([create(path)]);
    await session.commit([operation(path, null)]);
  });
}

test('results are those of the operations, in their order', async () => {
  await session.commit([create('/results'), create('/gone')]);
  const results = await session.commit([
    { kind: 'check', path: '/results', version: 0 },
    create('/results/child-', 'data', 'sequential'),
    { kind: 'set', path: '/results', data: Buffer.from('new'), version: 0 },
    { kind: 'remove', path: '/gone', version: 0 },
    create('/results/child-', '', 'sequential'),
  ]);
  assert.deepEqual(
    results.map(({ path, stat }) => path ?? stat?.version ?? null),
    [null, '/results/child-0000000000', 1, null, '/results/child-0000000001'],
  );
  assert.deepEqual((await session.getData('/results/child-0000000000'))?.data, Buffer.from('data'));
});

const refusals: readonly [string, Operation, string][] = [
  ['a parent that is not there', create('/none/child'), 'no_node'],
  ['a znode that is there', create('/zookeeper'), 'node_exists'],
  ['a removal with children', conditions.remove('/results', null), 'not_empty'],
  ['a set of nothing', conditions.set('/none', null), 'no_node'],
];

for (const [what, operation, code] of refusals) {
  test(`refused: ${what}`, async () => {
    const first = { kind: 'check', path: '/zookeeper', version: null } as const;
    await assert.rejects(session.commit([first, operation, first]), {
      code,
      outcome: 'not applied',
      operationIndex: 1,
    });
  });
}

test('null data reads as empty data, and stays null to others', async () => {
  await session.commit([create('/empty')]);
  assert.deepEqual((await session.getData('/empty'))?.data, Buffer.alloc(0));
});
