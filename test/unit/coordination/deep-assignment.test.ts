// Goal: whatever a person puts into an assignment, it can be written again. Method: JSON that is deeper than any stack.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAssignment, encodeAssignment } from '../../../coordination/znode-records.ts';

test('unknown members stay, unless they are too deep to be written', () => {
  const record = { attempt: 2, startedAt: 0, withdraw: 'cancelled', progress: null } as const;
  const kept = encodeAssignment(record, Buffer.from('{"note":[1]}'));
  assert.deepEqual(JSON.parse(kept.toString()).note, [1]);
  const depth = 400_000;
  const deep = encodeAssignment(record, Buffer.from(`{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`));
  assert.deepEqual(decodeAssignment(deep), record);
  assert.equal('x' in JSON.parse(deep.toString()), false);
});
