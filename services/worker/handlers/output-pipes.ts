// Real pipes for the output of shell commands. Node's own `pipe` is a socket, and a socket cannot be opened by name: with it
// `echo x > /dev/stderr` in a command fails. Node has no pipe(2), so these are named pipes of which both ends are opened and
// the names removed at once, made some at a time because each time costs a process.

import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Log } from '../../../runtime/log.ts';
import { handlerLimits } from './handler-limits.ts';

/** Two file descriptors, which belong to whoever takes it. */
export interface OutputPipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

export class OutputPipes {
  readonly #log: Log;
  #ready: OutputPipe[] = [];
  #making: Promise<void> | null = null;
  #canMake = true;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Null where this host does not let us make any (no writable temporary folder, say). */
  async take(): Promise<OutputPipe | null> {
    for (;;) {
      const pipe = this.#ready.pop();
      if (pipe || !this.#canMake) return pipe ?? null;
      this.#making ??= this.#make();
      await this.#making;
    }
  }

  /** No more take() after this. */
  close(): void {
    for (const pipe of this.#ready) closePipe(pipe);
    this.#ready = [];
  }

  async #make(): Promise<void> {
    try {
      this.#ready.push(...(await makePipes(handlerLimits.outputPipesReadyMax)));
    } catch (error) {
      this.#canMake = false;
      this.#log.warn({ err: error }, 'no named pipes here: shell commands cannot open /dev/stdout and /dev/stderr');
    } finally {
      this.#making = null;
    }
  }
}

export function closePipe({ readEnd, writeEnd }: OutputPipe): void {
  closeSync(readEnd);
  closeSync(writeEnd);
}

async function makePipes(count: number): Promise<OutputPipe[]> {
  const directory = await mkdtemp(join(tmpdir(), 'taskkeeper-pipes-'));
  const made: OutputPipe[] = [];
  try {
    const paths = Array.from({ length: count }, (_, index) => join(directory, String(index)));
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    for (const path of paths) made.push(openBothEnds(path));
    return made;
  } catch (error) {
    for (const pipe of made) closePipe(pipe);
    throw error;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** fifo(7): a reader that does not block can be opened first, and with it there the writer opens at once. */
function openBothEnds(path: string): OutputPipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { readEnd, writeEnd: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(readEnd);
    throw error;
  }
}
