// The file of a run, as another one reads it: the machine and the sizes in its first line, then a line for each figure. Pure.

import { type Figure, parseFigures } from './figures.ts';
import type { Head } from './machine.ts';

export interface Run {
  readonly head: Head;
  readonly figures: readonly Figure[];
}

/** Throws where it is something else, or has no figure. */
export function parseRun(text: string): Run {
  const head = parseHead(text.split('\n', 1)[0] ?? '');
  const figures = parseFigures(text);
  if (!head?.machine || !head.sizes || figures.length === 0) throw new Error('this is no file of figures');
  return { head, figures };
}

/** Of source that was never committed, so nobody can measure it again. */
export function isDirty({ head }: Run): boolean {
  return head.machine.commit?.endsWith('-dirty') ?? false;
}

function parseHead(line: string): Head | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
