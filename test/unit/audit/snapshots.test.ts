// Copies of trees: without what is large and nobody looks at, and written down and read again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leanData } from '../../../audit/lean-data.ts';
import { parseSnapshot, snapshotLines } from '../../../audit/tree-snapshot.ts';
import { decodeTask } from '../../../coordination/task-record.ts';
import { decodeStatus } from '../../../coordination/znode-records.ts';
import { limits } from '../../../domain/limits.ts';
import { forgedAt, healthyTree, status, task } from './forged-tree.ts';

const large = 'x'.repeat(100_000);

function read(data: Buffer) {
  const reading = decodeTask(data, forgedAt);
  return reading.kind === 'task' ? { ...reading.record, payload: null } : reading.kind;
}

test('a task without its payload reads as the whole', () => {
  const whole = task({ payload: large, exclusiveKey: 'k', maxAttempts: 7, labels: { a: 'b' } });
  const lean = leanData(whole);
  assert.ok(lean.length < 1000);
  assert.deepEqual(read(lean), read(whole));
  assert.equal(leanData(task()).equals(task()), true);
});

test('a status without its result, or the message of its error, reads as the whole', () => {
  for (const whole of [
    status({ result: large }),
    status({ state: 'failed', error: { code: 'exit_code', message: large } }),
  ]) {
    const lean = leanData(whole);
    assert.ok(lean.length < 1000);
    const [{ state, error, attempt }, expected] = [decodeStatus(lean, 0), decodeStatus(whole, 0)];
    assert.deepEqual([state, error?.code, attempt], [expected.state, expected.error?.code, expected.attempt]);
  }
});

test('a text stays one, and what is no record stays none', () => {
  const command = leanData(Buffer.from(`echo ${large}`));
  assert.ok(command.length < 5000);
  assert.deepEqual(read(command), read(Buffer.from('echo hello')));
  assert.equal(read(leanData(Buffer.from(`{"v":1,"type":"echo",${large}`))), 'invalid');
  const tooLarge = task({ payload: 'x'.repeat(limits.recordBytesMax) });
  assert.deepEqual([read(tooLarge), read(leanData(tooLarge))], ['invalid', 'invalid']);
});

test('a copy that is written down is read again as it was', () => {
  const tree = healthyTree().create('/tasks/task-0000000001', task()).snapshot(['/tasks/task-0000000001']);
  assert.deepEqual(parseSnapshot(snapshotLines(tree)), tree);
});
