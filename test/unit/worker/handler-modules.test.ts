// Goal: a folder of modules becomes a list of types, and each mistake in it is named at once. Method: real folders.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findHandlerModules } from '../../../services/worker/handlers/handler-modules.ts';

async function folder(t: TestContext, files: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'taskkeeper-modules-'));
  t.after(() => rm(directory, { recursive: true }));
  for (const file of files) await writeFile(join(directory, file), '');
  return directory;
}

test('modules are found by name; other files, hidden ones and folders are left alone', async (t) => {
  const directory = await folder(t, ['b.js', 'a.v2.mjs', 'package.json', 'README.md', '.eslintrc.js', 'lib.cjs']);
  await mkdir(join(directory, 'folder.js'));
  await symlink(join(directory, 'b.js'), join(directory, 'linked.js'));
  const { paths, faults } = await findHandlerModules(directory, ['echo']);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    [...paths],
    [
      ['a.v2', join(directory, 'a.v2.mjs')],
      ['b', join(directory, 'b.js')],
      ['linked', join(directory, 'linked.js')],
    ],
  );
});

test('each mistake is named with its place', async (t) => {
  const directory = await folder(t, ['echo.js', 'two.js', 'two.mjs', 'bad name.js', `${'x'.repeat(65)}.js`]);
  const { paths, faults } = await findHandlerModules(directory, ['echo']);
  assert.deepEqual([...paths.keys()], ['two']);
  assert.equal(faults.length, 4);
  assert.match(faults.join('\n'), /"bad name" cannot be a task type: rename it/);
  assert.match(faults.join('\n'), /echo\.js: "echo" is a built-in handler: give yours another name/);
  assert.match(faults.join('\n'), /there is both two\.js and two\.mjs: remove one/);
});

test('a folder that is not there is a fault', async () => {
  const { faults } = await findHandlerModules('/nowhere/handlers', []);
  assert.match(faults[0] ?? '', /HANDLERS_DIR: \/nowhere\/handlers cannot be read/);
});
