// Goal: imports run downwards only, the ZooKeeper client has one importer, and `domain` is pure. Method: the rules applied to
// every source file, and to made-up violations, so that rules that see nothing are noticed.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { importsOf, layerViolations, type SourceFile } from '../support/layer-rules.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function sourceFiles(...folders: string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((file) => `${folder}/${file.split(sep).join('/')}`)
      .filter((path) => path.endsWith('.ts'))
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  );
}

test('the sources keep to the layers', () => {
  const tops = ['services', 'gateway', 'audit', 'scripts', 'bench', 'chaos'];
  const files = sourceFiles('domain', 'runtime', 'coordination', ...tops);
  assert.ok(files.length > 10);
  assert.deepEqual(layerViolations(files), []);
});

test('violations are seen', () => {
  const client = "import { createClient } from 'node-zookeeper-client';";
  const violations = (path: string, text: string, ...others: SourceFile[]) =>
    layerViolations([{ path, text }, ...others]).length;
  const bad: [string, string][] = [
    ['domain/a.ts', "import { join } from 'node:path';"],
    ['domain/a.ts', "export { b } from '../runtime/b.ts';"],
    ['runtime/a.ts', "import type { B } from '../coordination/b.ts';"],
    ['coordination/a.ts', "import {\n  b,\n} from '../services/master/b.ts';"],
    ['services/master/a.ts', "const b = await import('../worker/b.ts');"],
    ['services/worker/handlers/a.ts', "import '../../master/b.ts';"],
    ['services/worker/a.ts', "new Worker(new URL('../../gateway/b.js', import.meta.url))"],
    ['gateway/a.ts', "import { b } from '../services/master/b.ts';"],
    ['gateway/a.ts', "import { b } from '../test/support/b.ts';"],
    ['gateway/a.ts', "import { b } from '../scripts/b.ts';"],
    ['services/master/a.ts', "import { b } from '../../bench/b.ts';"],
    ['bench/a.ts', "import { b } from '../gateway/b.ts';"],
    ['gateway/a.ts', client],
    ['elsewhere/a.ts', ''],
    ['domain/a.ts', 'const now = Date.now();'],
    ['domain/a.ts', 'const now = new Date();'],
    ['domain/a.ts', 'const r = Math.random();'],
    ['domain/a.ts', 'setTimeout(f, 1);'],
    ['domain/a.ts', 'async function f() {}'],
    ['domain/a.ts', 'const p: Promise<void> = q;'],
    ['domain/a.ts', 'const p = process.env;'],
  ];
  for (const [path, text] of bad) assert.equal(violations(path, text), 1, `${path}: ${text}`);
  assert.equal(violations('coordination/a.ts', client, { path: 'coordination/b.ts', text: client }), 1);
});

test('what is allowed passes', () => {
  const good: SourceFile[] = [
    {
      path: 'domain/a.ts',
      text: "// Date.now() would be wrong here\nimport { b } from './b.ts'; new Date(0); const s = 'await';",
    },
    { path: 'runtime/a.ts', text: "import { b } from '../domain/b.ts'; import { pino } from 'pino';" },
    { path: 'coordination/a.ts', text: "import zk from 'node-zookeeper-client'; import { b } from '../runtime/b.ts';" },
    {
      path: 'services/worker/handlers/a.ts',
      text: "import { b } from '../b.ts'; import { c } from '../../../coordination/c.ts';",
    },
    { path: 'gateway/a.ts', text: "new URL('../../proto', import.meta.url)" },
  ];
  assert.deepEqual(layerViolations(good), []);
  assert.deepEqual(importsOf("// import 'a';\nconst u = 'http://x'; import 'b'; /* import 'c'; */"), ['b']);
});
