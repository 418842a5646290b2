// `npm run check`: types, lint and format, layers and pure tests, in seconds and without ZooKeeper.

import { join } from 'node:path';
import { build } from './build.mjs';
import { fail, run } from './install.mjs';
import { findTests, runTests } from './test-run.mjs';

build();
const colors = `--colors=${process.stdout.isTTY ? 'force' : 'off'}`;
if (!run(process.execPath, [join('node_modules', '.bin', 'biome'), 'ci', colors, '.'])) {
  fail('Lint or format: see above. `npm run format` mends what can be mended by itself.');
}
if (!runTests(findTests(join('test', 'unit')))) fail('A test failed.');
