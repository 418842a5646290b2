// What a run leaves behind outside of the system: lines in a file that is only appended to, each in one small write at the moment it
// speaks of, so that they are there whatever becomes of the process. Several processes and threads write to the same file.

import { appendFileSync } from 'node:fs';
import { now } from '../moment.ts';
import type { RunLine } from '../record.ts';

export const beatMs = 25;

export class RunEvidence {
  #lastBeat = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `pid` is the worker's. */
  constructor(
    private readonly file: string,
    private readonly run: Pick<RunLine, 'task' | 'attempt' | 'token' | 'pid'>,
  ) {}

  /** Beats follow by themselves while the event loop turns. */
  start(): void {
    this.#write('start');
    this.#timer = setInterval(() => this.beat(), beatMs);
  }

  /** For what keeps the event loop from turning: as often as it likes. */
  beat(): void {
    if (now() - this.#lastBeat >= beatMs) this.#write('beat');
  }

  end(how: NonNullable<RunLine['how']>): void {
    clearInterval(this.#timer);
    this.#write('end', how);
  }

  #write(line: RunLine['line'], how?: RunLine['how']): void {
    const at = now();
    this.#lastBeat = at;
    const entry: RunLine = { kind: 'run', line, ...this.run, at, ...(how && { how }) };
    appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }
}
