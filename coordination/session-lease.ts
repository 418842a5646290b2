// How long a session may be trusted, by our own clock alone. The server counts a session's time from the last request
// that it received, so what counts here is when we *sent* the newest request that was answered: the time of an answer
// is too late by the way back, and on a link that carries only one way it would be too late for ever. Pure.

/** Taken off for the two clocks' drift and for our own delay in acting: a twentieth of the timeout, at least 25 ms. */
function marginMs(timeoutMs: number): number {
  return Math.max(25, timeoutMs / 20);
}

export class SessionLease {
  #timeoutMs = 0;
  #answeredSentAt = 0;

  /** The server granted or resumed the session in answer to what was sent at `sentAt`. */
  granted(timeoutMs: number, sentAt: number): void {
    this.#timeoutMs = timeoutMs;
    this.answered(sentAt);
  }

  answered(sentAt: number): void {
    this.#answeredSentAt = Math.max(this.#answeredSentAt, sentAt);
  }

  /** The negotiated session timeout; 0 before the first handshake. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** Monotonic ms up to which nobody else can have been given what this session holds; 0 before the first handshake. */
  get trustedUntil(): number {
    return this.#timeoutMs === 0 ? 0 : this.#answeredSentAt + this.#timeoutMs - marginMs(this.#timeoutMs);
  }

  /** A ping is due this long after anything was last sent: three chances within a session (as the Java client does). */
  get pingAfterMs(): number {
    return this.#timeoutMs / 3;
  }

  /**
   * True once nothing that was sent in the last two thirds of the timeout has been answered (a ping at least was): time
   * to try another server while we still can. Events that arrive prove nothing: a link may carry only one way.
   */
  isSilent(now: number): boolean {
    return now - this.#answeredSentAt >= (this.#timeoutMs * 2) / 3;
  }
}
