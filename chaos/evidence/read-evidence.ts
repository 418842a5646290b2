// The lines of a file of evidence. Its last line may be torn: whoever wrote it was killed, or is still at it.

import { existsSync, readFileSync } from 'node:fs';
import type { RunLine } from '../record.ts';

const newline = 0x0a;

/** In the order in which they were written; none where there is no such file. Throws SyntaxError for nonsense before the last line. */
export function readEvidence(file: string): RunLine[] {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const lines: RunLine[] = [];
  let from = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
    lines.push(JSON.parse(bytes.toString('utf8', from, end)) as RunLine);
    from = end + 1;
  }
  return lines;
}
