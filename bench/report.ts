// What a run has measured, for people and for programs: JSON lines on stdout and in a file, and a table of what was timed.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Figure, figureTable, perTask, toJsonLine } from './figures.ts';
import type { Head } from './machine.ts';

export function report(head: Head, figures: readonly Figure[], file: string): void {
  const lines = [JSON.stringify(head), ...figures.map(toJsonLine)].join('\n');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${lines}\n`);
  // The counted ones have tables of their own.
  const timed = figures.filter(({ unit }) => unit !== perTask);
  console.log(`${lines}\n\n${figureTable(timed)}\n\nWritten to ${file}`);
}
