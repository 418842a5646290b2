// Counts what is being answered, so that a close can wait for exactly that and not for connections that only stay open.

export class InProgress {
  #count = 0;
  #onNone: (() => void) | null = null;

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#onNone?.();
  }

  /** Resolves when nothing is in progress, or after `withinMs`. One caller at a time. */
  none(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#count === 0) {
        resolve();
        return;
      }
      const timer = setTimeout(resolve, withinMs);
      this.#onNone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
