// How long a session may be trusted, by our own clock alone. Only the ensemble's leader ends sessions, so only what the
// leader has heard of counts:
//
// - It counts from what it received, so an answered request counts from when we *sent* it: the time of the answer is too
//   late by the way back, and on a link that carries only one way it would be too late for ever.
// - A follower answers pings and reads by itself, also when it is cut off from the leader. Only transactions and `sync`
//   go to the leader and back, so only their answers count; `sync` is our heartbeat.
// - A follower tells the leader which sessions it heard from in answer to the leader's own ping, every half tick
//   (LearnerHandler, LeaderSessionTracker). An answer of the leader therefore proves no more than that it has heard of
//   what the follower had surely received half a tick before we sent the request: what was answered by then. We take a
//   tick for at most a third of the timeout, which holds for the servers' default tick of 2 s from timeouts of 6 s on.
//
// Pure.

/** Taken off for the two clocks' drift and for our own delay in acting: a twentieth of the timeout, at least 25 ms. */
function marginMs(timeoutMs: number): number {
  return Math.max(25, timeoutMs / 20);
}

export class SessionLease {
  #timeoutMs = 0;
  /** When we sent the newest request that the leader must have heard of. */
  #heardOfAt = 0;
  /** When we sent the newest request that the leader has answered. */
  #confirmedAt = 0;
  /** When we sent the newest request that the leader has to answer. */
  #askedAt = 0;
  /** How many of those it has not answered over this link, and since when the oldest waits at the most. */
  #unanswered = 0;
  #unansweredSince = 0;
  /** Those answered before, oldest first, as far as they may still matter. */
  #earlier: { readonly sentAt: number; readonly answeredAt: number }[] = [];

  /** The session was granted or resumed in answer to what was sent at `sentAt`: that goes to the leader itself. */
  granted(timeoutMs: number, sentAt: number): void {
    this.#timeoutMs = timeoutMs;
    this.#askedAt = sentAt;
    this.#unanswered = 0;
    this.#heardOfAt = Math.max(this.#heardOfAt, sentAt);
    this.#confirmedAt = Math.max(this.#confirmedAt, sentAt);
  }

  /** A request that the leader has to answer is sent. */
  asked(sentAt: number): void {
    this.#askedAt = sentAt;
    if (this.#unanswered === 0) this.#unansweredSince = sentAt;
    this.#unanswered += 1;
  }

  /** The leader's answer to what was sent at `sentAt` arrived at `answeredAt`. */
  confirmed(sentAt: number, answeredAt: number): void {
    this.#unanswered -= 1;
    this.#unansweredSince = sentAt; // or later: answers come in the order of the requests
    if (sentAt <= this.#confirmedAt) return;
    this.#confirmedAt = sentAt;
    for (let first = this.#earlier[0]; first && first.answeredAt <= sentAt - this.#reportMs; first = this.#earlier[0]) {
      this.#heardOfAt = Math.max(this.#heardOfAt, first.sentAt);
      this.#earlier.shift();
    }
    const newest = this.#earlier.at(-1)?.sentAt ?? Number.NEGATIVE_INFINITY;
    if (sentAt - newest >= this.#timeoutMs / 48) this.#earlier.push({ sentAt, answeredAt });
  }

  /** The negotiated session timeout; 0 before the first handshake. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** Monotonic ms up to which nobody else can have been given what this session holds; 0 before the first handshake. */
  get trustedUntil(): number {
    return this.#timeoutMs === 0 ? 0 : this.#heardOfAt + this.#timeoutMs - marginMs(this.#timeoutMs);
  }

  /**
   * A heartbeat is due when nothing that goes to the leader was sent for a fifth of the timeout: somewhat longer than what a
   * follower takes to report, so that each heartbeat makes the one before count.
   */
  get heartbeatAt(): number {
    return this.#askedAt + this.#timeoutMs / 5;
  }

  /**
   * By then the leader has answered nothing of the last two fifths of the timeout, and has had a fifth to do so: time to try
   * another server while we still can. Events and a follower's own answers prove nothing. Infinity while it owes no answer: who
   * was busy and asked nothing has not met silence.
   */
  get silentAt(): number {
    if (this.#unanswered === 0) return Number.POSITIVE_INFINITY;
    return Math.max(this.#confirmedAt + (this.#timeoutMs * 2) / 5, this.#unansweredSince + this.#timeoutMs / 5);
  }

  /** Half a tick at most: what a follower has heard reaches the leader within this. */
  get #reportMs(): number {
    return this.#timeoutMs / 6;
  }
}
