// HANDLERS_DIR of a chaos run: one module for each type of evidence-handler.ts, into which the path of the evidence is written.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EvidenceType } from './evidence-handler.ts';

/** All that HANDLERS_DIR has; `shell` comes with the worker (shell-evidence.ts). */
export const evidenceTypes: readonly EvidenceType[] = ['quick', 'long', 'flaky', 'deaf', 'blocking', 'crashing', 'big'];

/** Where the handlers written into `folder` leave their evidence. */
export function evidenceFile(folder: string): string {
  return resolve(folder, 'evidence.jsonl');
}

/** Returns what HANDLERS_DIR is to be, a folder in `folder`. */
export function writeEvidenceHandlers(folder: string): string {
  const directory = resolve(folder, 'handlers');
  mkdirSync(directory, { recursive: true });
  const source = new URL('./evidence-handler.js', import.meta.url).href;
  for (const type of evidenceTypes) {
    const text = [
      `import { evidenceHandler } from ${JSON.stringify(source)};`,
      `export default evidenceHandler(${JSON.stringify(type)}, ${JSON.stringify(evidenceFile(folder))});`,
      '',
    ];
    writeFileSync(join(directory, `${type}.mjs`), text.join('\n'));
  }
  return directory;
}
