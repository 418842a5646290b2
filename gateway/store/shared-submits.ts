// Equal submits with one idempotency key that are under way in this gateway are one: it is in a transaction once, and the others
// get its answer. Each of its own would be refused by the ensemble and delay all that shared the transaction with it.

import type { SubmittedBatch } from '../api/task-store.ts';

interface UnderWay {
  readonly fingerprint: string;
  readonly submitted: Promise<SubmittedBatch>;
}

export class SharedSubmits {
  readonly #underWay = new Map<string, UnderWay>();

  /**
   * Runs `submit`, or waits for an equal one and answers as it did, its failure too. Another request with the key waits until
   * that is over and then goes its own way, mostly to be refused.
   */
  async share(key: string, fingerprint: string, submit: () => Promise<SubmittedBatch>): Promise<SubmittedBatch> {
    for (let first = this.#underWay.get(key); first; first = this.#underWay.get(key)) {
      if (first.fingerprint === fingerprint) return { ...(await first.submitted), created: false };
      await first.submitted.catch(() => undefined); // told to who asked for it
    }
    const submitted = submit().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, { fingerprint, submitted });
    return await submitted;
  }
}
