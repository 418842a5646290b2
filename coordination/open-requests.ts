// The requests of a session that have no answer yet, each with its deadline: the npm client would let a request that
// was made while disconnected wait for ever. All have the same time, so the oldest is always the next to be due, and
// one timer serves them all.

import { monotonicMs } from '../runtime/clock.ts';
import type { Reply } from './connection.ts';
import { type CoordinationCode, CoordinationError, noNode } from './coordination-error.ts';
import type { WireRequest } from './zookeeper-requests.ts';

export interface PendingRequest {
  readonly request: WireRequest<unknown>;
  /** A read: it goes out again when the link broke. */
  readonly repeatable: boolean;
  /** Handed to the present link. */
  sent: boolean;
  readonly dueAt: number;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class OpenRequests {
  #timeoutMs: number;
  readonly #open = new Set<PendingRequest>();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** A request is not given up before its session would be. */
  allowAtLeast(timeoutMs: number): void {
    this.#timeoutMs = Math.max(this.#timeoutMs, timeoutMs);
  }

  add<T>(request: WireRequest<T>, repeatable: boolean): { pending: PendingRequest; promise: Promise<T | null> } {
    const { promise, resolve, reject } = promiseWithResolvers<T | null>();
    const dueAt = monotonicMs() + this.#timeoutMs;
    const pending = { request, repeatable, sent: false, dueAt, resolve: resolve as (value: unknown) => void, reject };
    this.#open.add(pending);
    this.#timer ??= setTimeout(() => this.#onDue(), this.#timeoutMs);
    return { pending, promise };
  }

  /** Those that have not been handed to the present link, oldest first. */
  unsent(): PendingRequest[] {
    return [...this.#open].filter(({ sent }) => !sent);
  }

  /** The server's answer: resolves with the decoded body, with null for a znode that is not there, or rejects. */
  answer(pending: PendingRequest, { code, body, zxid }: Reply): void {
    if (!this.#open.delete(pending)) return;
    try {
      if (code === 0) pending.resolve(pending.request.decode(body, zxid));
      else if (code === noNode && pending.repeatable) pending.resolve(null);
      else pending.reject(CoordinationError.refused(code, pending.request.what));
    } catch (error) {
      pending.reject(error as Error);
    }
  }

  /** Rejects; what was sent and may be applied is `unknown`, everything else is not. */
  fail(pending: PendingRequest, code: CoordinationCode, why: string): void {
    if (!this.#open.delete(pending)) return;
    const outcome = pending.sent && !pending.repeatable ? 'unknown' : 'not applied';
    pending.reject(new CoordinationError(code, outcome, `${pending.request.what}: ${why}`));
  }

  failAll(code: CoordinationCode, why: string): void {
    for (const pending of [...this.#open]) this.fail(pending, code, why);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #onDue(): void {
    const now = monotonicMs();
    this.#timer = undefined;
    for (const pending of this.#open) {
      if (pending.dueAt > now) {
        this.#timer = setTimeout(() => this.#onDue(), Math.ceil(pending.dueAt - now));
        return;
      }
      this.fail(pending, 'deadline_exceeded', `no answer within ${this.#timeoutMs} ms`);
    }
  }
}

/** Promise.withResolvers, which Node 20 does not have. */
function promiseWithResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
