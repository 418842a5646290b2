// The folder of a chaos run: what it was, its record, what handlers left, the tree at its end, the logs of its processes. The judge works from
// this folder alone, so that a run can be judged again when the system is long gone, or when a rule has changed.

import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseSnapshot, snapshotLines, type TreeSnapshot } from '../audit/tree-snapshot.ts';
import { evidenceFile } from './evidence/evidence-modules.ts';
import { readEvidence } from './evidence/read-evidence.ts';
import type { Entry } from './record.ts';

/** The folder is not that of a run that came to its end. */
export class NothingToJudge extends Error {}

/** Of one run. */
export class ReportFolder {
  readonly #record: number;

  /** Empties the folder. */
  constructor(readonly path: string) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(join(path, 'logs'), { recursive: true });
    this.#record = openSync(join(path, recordName), 'a');
  }

  get logs(): string {
    return join(this.path, 'logs');
  }

  /** At once, in one write: what was recorded is there, however this process ends. */
  readonly write = (entry: Entry): void => {
    writeSync(this.#record, `${JSON.stringify(entry)}\n`);
  };

  writeTree(tree: TreeSnapshot): void {
    writeFileSync(join(this.path, treeName), [...snapshotLines(tree)].map((line) => `${line}\n`).join(''));
  }

  writeText(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
  }

  close(): void {
    closeSync(this.#record);
  }
}

const recordName = 'record.jsonl';
const treeName = 'tree.jsonl';

/** What a run has written down of itself. Throws {@link NothingToJudge} where the folder has no record, or no tree. */
export function readReport(folder: string): { entries: Entry[]; tree: TreeSnapshot } {
  for (const name of [recordName, treeName]) {
    if (existsSync(join(folder, name))) continue;
    throw new NothingToJudge(
      `${folder} has no ${name}: no run has come to its end there, so there is nothing to judge`,
    );
  }
  const recorded = linesOf(join(folder, recordName)).map((line) => JSON.parse(line) as Entry);
  return {
    entries: [...recorded, ...readEvidence(evidenceFile(folder))],
    tree: parseSnapshot(linesOf(join(folder, treeName))),
  };
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
