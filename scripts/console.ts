// What `npm start` shows: the services' logs as short lines, and its own notices. The whole logs go to files, one a process;
// those of the run before are kept beside them.

import { createWriteStream, existsSync, renameSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { renderLogLine } from './log-line.ts';

/** ZooKeeper warns of every client that goes away. */
const forFileOnly = new Set(['zookeeper']);

export class Console {
  readonly #files = new Map<string, WriteStream>();

  constructor(private readonly logDir: string) {}

  say(notice: string): void {
    process.stdout.write(`${notice}\n`);
  }

  logLine(processName: string, line: string): void {
    this.#file(processName).write(`${line}\n`);
    if (!forFileOnly.has(processName)) this.say(renderLogLine(processName, line));
  }

  /** Resolves when the files are written. */
  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => finished(file.end())));
  }

  #file(processName: string): WriteStream {
    const known = this.#files.get(processName);
    if (known) return known;
    const path = join(this.logDir, `${processName}.log`);
    if (existsSync(path)) renameSync(path, join(this.logDir, `${processName}.before.log`));
    const file = createWriteStream(path);
    // A full disk must not end the stack: the lines are on the terminal too.
    file.on('error', (error) => this.say(`${path}: ${error.message}`));
    this.#files.set(processName, file);
    return file;
  }
}
