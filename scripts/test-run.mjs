// Finds compiled tests and runs them with Node's own runner. Files are named one by one, because what a folder or a pattern
// means to `node --test` differs between Node 20 and later versions.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './install.mjs';

/** Compiled test files below `folder`, whose path has one of the patterns in it (`test/unit/layers`, `fault`). */
export function findTests(folder, patterns = []) {
  const wanted = patterns.map((pattern) => pattern.replace(/\.[tj]s$/, ''));
  return readdirSync(join(root, 'dist', folder), { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join(folder, file))
    .filter((file) => wanted.length === 0 || wanted.some((pattern) => file.includes(pattern)))
    .sort()
    .map((file) => join('dist', file));
}

/** True where all passed. `options` are those of node itself, `--test-name-pattern=...` say. */
export function runTests(files, options = []) {
  return run(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=spec', ...options, ...files]);
}

/** Options that the first releases of Node 20 do not know. */
export function limitsKnownTo(version) {
  const [major, minor] = version.split('.').map(Number);
  // Two at a time: most tests start servers and processes of their own, and some measure time.
  return major > 20 || minor >= 11 ? ['--test-concurrency=2', '--test-timeout=600000'] : [];
}
