// `npm run build`: packages, then TypeScript to dist/. Compiled files whose source is gone are removed, so that a deleted
// test does not go on running; everything else is overwritten in place, since a stack may be running from it.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensurePackages, fail, root, run } from './install.mjs';

export function build() {
  ensurePackages();
  removeStale();
  if (!run(process.execPath, [join('node_modules', '.bin', 'tsc'), '--project', '.']))
    fail('The build failed: see the errors above.');
}

function removeStale() {
  const dist = join(root, 'dist');
  if (!existsSync(dist)) return;
  for (const file of readdirSync(dist, { recursive: true })) {
    const match = /^(.*)\.(js|js\.map|d\.ts)$/.exec(file);
    if (match && !existsSync(join(root, `${match[1]}.ts`))) rmSync(join(dist, file));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) build();
