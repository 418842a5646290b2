// Coalesces the progress that a handler reports: the newest is written at most once in `limits.progressIntervalMs`, and
// never two writes at a time.

import { limits } from '../../domain/limits.ts';
import type { Progress } from '../../domain/task.ts';

export class ProgressReport {
  readonly #write: (progress: Progress) => Promise<void>;
  #newest: Progress | null = null;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #writtenAt = Number.NEGATIVE_INFINITY;

  /** `write` must not reject. */
  constructor(write: (progress: Progress) => Promise<void>) {
    this.#write = write;
  }

  add(progress: Progress): void {
    this.#newest = progress;
    if (this.#timer) return;
    const wait = Math.max(0, this.#writtenAt + limits.progressIntervalMs - performance.now());
    this.#timer = setTimeout(() => this.#flush(), wait);
  }

  /** Drops what was not written yet and resolves when the write under way is over. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
  }

  #flush(): void {
    this.#timer = undefined;
    const progress = this.#newest;
    if (!progress) return;
    this.#writtenAt = performance.now();
    this.#writing = this.#writing.then(() => this.#write(progress));
  }
}
