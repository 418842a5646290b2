// Group read: reads that are asked for in one turn of the event loop travel in one request (multi-read, ZooKeeper 3.6),
// since a request costs the server and us several times what one more read in it does; and what is asked for while enough
// requests are in flight shares the next. Never a timer, as with commits.
// Each read keeps its own answer: what refuses one says nothing of the others.

import { limits } from '../domain/limits.ts';
import { CoordinationError, noNode } from './coordination-error.ts';
import { multiReadRequest, type ReadOperation, readRequest, type WireRequest } from './zookeeper-requests.ts';

interface Asked {
  readonly operation: ReadOperation<unknown>;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** Sends a request; resolves with null for a znode that is not there. */
type Issue = <T>(request: WireRequest<T>) => Promise<T | null>;

export class GroupRead {
  readonly #issue: Issue;
  #asked: Asked[] = [];
  #inFlight = 0;
  #scheduled = false;
  /** What a read has lately brought: znodes are small, but each may be half a megabyte. Before the first, nobody knows. */
  #bytesPerRead = 16 * 1024;

  constructor(issue: Issue) {
    this.#issue = issue;
  }

  /** Null where there is no such znode. */
  read<T>(operation: ReadOperation<T>): Promise<T | null> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ operation, resolve: resolve as (answer: unknown) => void, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#asked.length === 0 || this.#inFlight >= limits.readRequestsInFlightMax) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      const fitting = Math.ceil(limits.readBytesAimedAt / this.#bytesPerRead);
      void this.#send(this.#asked.splice(0, Math.min(fitting, limits.readsPerRequestMax)));
      this.#schedule();
    });
  }

  async #send(group: readonly Asked[]): Promise<void> {
    this.#inFlight += 1;
    try {
      await this.#ask(group);
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      this.#inFlight -= 1;
      this.#schedule();
    }
  }

  async #ask(group: readonly Asked[]): Promise<void> {
    const [first] = group;
    if (first && group.length === 1) return first.resolve(await this.#issue(readRequest(first.operation)));
    const answers = await this.#issue(multiReadRequest(group.map(({ operation }) => operation)));
    this.#bytesPerRead = Math.max(1, (answers?.bytes ?? 0) / group.length);
    for (const [place, asked] of group.entries()) settle(asked, answers?.each[place]);
  }
}

function settle({ operation, resolve, reject }: Asked, answer: unknown): void {
  if (answer === noNode) resolve(null);
  else if (typeof answer === 'number') reject(CoordinationError.refused(answer, `a read of ${operation.path}`));
  else resolve(answer);
}
