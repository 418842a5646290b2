// Goal: one `npm start` a checkout, and no lock that outlives its holder. Method: two holders in one process, then a socket
// file whose holder was killed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { holdSingleInstance } from '../../../scripts/single-instance.ts';

function socketPath(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'taskkeeper-lock-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return join(dir, 's');
}

test('the second is told who the first is, and has its turn after the release', async (t) => {
  const path = socketPath(t);
  const first = await holdSingleInstance(path, () => 'the first');
  assert.ok(first.kind === 'held' && !first.afterCrash);
  assert.deepEqual(await holdSingleInstance(path, () => 'the second'), { kind: 'taken', holder: 'the first' });
  first.release();
  const next = await holdSingleInstance(path, () => 'the next');
  assert.ok(next.kind === 'held' && !next.afterCrash);
  next.release();
});

test('a holder that was killed locks nobody out', async (t) => {
  const path = socketPath(t);
  const holder = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`,
  ]);
  await once(holder.stdout, 'data');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  assert.ok(existsSync(path));
  const next = await holdSingleInstance(path, () => 'the next');
  assert.ok(next.kind === 'held' && next.afterCrash);
  next.release();
});
