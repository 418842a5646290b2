// Waiting until something that changes fits: the loop behind every wait of the test harness. Whoever owns the thing says
// when it has changed; nobody polls and nobody sleeps.

export class Changes {
  #waiting = new Set<() => void>();

  announce(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resolve of waiting) resolve();
  }

  /**
   * Asks `look` now and after each change until it returns something. `giveUp` is asked before each wait, and once the
   * time is up with `true`; what it returns is thrown.
   */
  async until<T>(look: () => T | null, timeoutMs: number, giveUp: (expired: boolean) => Error | null): Promise<T> {
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.announce();
    }, timeoutMs);
    try {
      for (;;) {
        const found = look();
        if (found !== null) return found;
        const error = giveUp(expired);
        if (error) throw error;
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
