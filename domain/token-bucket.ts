// A token bucket: something may happen so many times a second on average, and so many times at once after a pause. Time is
// passed in; where it goes back, nothing is filled in and nothing is lost. Pure.

/** Rounding of fractions of a token. */
const tolerance = 1e-9;

export class TokenBucket {
  #ratePerSecond: number;
  #burst: number;
  #tokens: number;
  #at: number;

  /** Full. `burst` at least 1, `now` in ms. */
  constructor(ratePerSecond: number, burst: number, now: number) {
    this.#ratePerSecond = ratePerSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** From `now` on at another rate; what was gathered stays, as far as it fits. */
  change(ratePerSecond: number, burst: number, now: number): void {
    this.#fill(now);
    this.#ratePerSecond = ratePerSecond;
    this.#burst = burst;
    this.#tokens = Math.min(this.#tokens, burst);
  }

  hasToken(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= 1 - tolerance;
  }

  /** One is gone; what somebody else took a moment before it was due leaves a debt of one at most. */
  take(now: number): void {
    this.#fill(now);
    this.#tokens = Math.max(-1, this.#tokens - 1);
  }

  /** One that was taken was not needed. */
  giveBack(now: number): void {
    this.#fill(now);
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
  }

  /** When the next token is there if none is taken, in whole ms; `now` or earlier where there is one. */
  nextAt(now: number): number {
    this.#fill(now);
    return Math.ceil(now + ((1 - tolerance - this.#tokens) * 1000) / this.#ratePerSecond);
  }

  #fill(now: number): void {
    const elapsedMs = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#ratePerSecond) / 1000);
  }
}
