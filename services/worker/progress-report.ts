// Coalesces the progress that a handler reports: the newest is written at most once in `limits.progressIntervalMs`, and
// never two writes at a time. What could not be written is tried again until something newer is.

import { limits } from '../../domain/limits.ts';
import type { Progress } from '../../domain/task.ts';

/** Never rejects. False: it may be of use to try again. */
type Write = (progress: Progress) => Promise<boolean>;

export class ProgressReport {
  readonly #write: Write;
  /** Not written yet. */
  #newest: Progress | null = null;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #writtenAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(write: Write) {
    this.#write = write;
  }

  add(progress: Progress): void {
    this.#newest = progress;
    this.#arm();
  }

  /** Drops what was not written yet and resolves when the write under way is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  #arm(): void {
    if (this.#timer || this.#isClosed) return;
    const wait = Math.max(0, this.#writtenAt + limits.progressIntervalMs - performance.now());
    this.#timer = setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    this.#timer = undefined;
    this.#writtenAt = performance.now();
    this.#writing = this.#writing.then(() => this.#writeNewest());
  }

  async #writeNewest(): Promise<void> {
    const progress = this.#newest;
    this.#newest = null;
    if (!progress || (await this.#write(progress))) return;
    this.#newest ??= progress;
    this.#arm();
  }
}
