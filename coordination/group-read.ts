// Group read: reads that are asked for in one turn of the event loop travel in one request (multi-read, ZooKeeper 3.6),
// since a request costs the server and us several times what one more read in it does; and what is asked for while enough
// requests are in flight shares the next. Never a timer, as with commits: a lone read goes with what else this callback brings, and
// while one is in flight the whole turn is waited for.
// Each read keeps its own answer: what refuses one says nothing of the others.

import { batchLength, type Sized } from '../domain/batch.ts';
import { limits } from '../domain/limits.ts';
import { monotonicMs } from '../runtime/clock.ts';
import { CoordinationError, isRefusal, noNode } from './coordination-error.ts';
import {
  multiReadRequest,
  type ReadOperation,
  readRequest,
  type WireRequest,
  type Znode,
} from './zookeeper-requests.ts';

/** Whoever takes the answer to a read: with null where there is no such znode. */
export interface ReadTaker<T> {
  resolve(answer: T | null): void;
  reject(error: unknown): void;
}

interface Asked extends Sized {
  readonly operation: ReadOperation<unknown>;
  readonly askedAt: number;
  readonly taker: ReadTaker<unknown>;
}

/** Sends a request; resolves with null for a znode that is not there. */
type Issue = <T>(request: WireRequest<T>) => Promise<T | null>;

/** Beside the path: opcode, flags, lengths. */
const operationOverheadBytes = 16;

export class GroupRead {
  readonly #issue: Issue;
  #asked: Asked[] = [];
  #inFlight = 0;
  #scheduled = false;
  /** Data that a read may bring: mostly little, but it may be half a megabyte. Before the first, nobody knows. */
  #bytesPerRead = 16 * 1024;

  constructor(issue: Issue) {
    this.#issue = issue;
  }

  /** Null where there is no such znode. */
  read<T>(operation: ReadOperation<T>): Promise<T | null> {
    return new Promise((resolve, reject) => this.readInto(operation, { resolve, reject }));
  }

  /** The same without a promise, for who reads very many. */
  readInto<T>(operation: ReadOperation<T>, taker: ReadTaker<T>): void {
    // No path has more bytes than that.
    const bytes = operationOverheadBytes + operation.path.length * 3;
    this.#asked.push({ operation, askedAt: monotonicMs(), taker: taker as ReadTaker<unknown>, operations: 1, bytes });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#asked.length === 0 || this.#inFlight >= limits.readRequestsInFlightMax) return;
    this.#scheduled = true;
    const soon = this.#inFlight === 0 ? process.nextTick : setImmediate;
    soon(() => {
      this.#scheduled = false;
      this.#sendAsked();
    });
  }

  #sendAsked(): void {
    while (this.#asked.length > 0 && this.#inFlight < limits.readRequestsInFlightMax) {
      const fitting = Math.max(limits.readsPerRequestMin, Math.floor(limits.readBytesAimedAt / this.#bytesPerRead));
      const most = Math.min(fitting, limits.readsPerRequestMax);
      const count = batchLength(this.#asked, most, limits.readRequestBytesMax);
      void this.#send(this.#asked.splice(0, count));
    }
  }

  async #send(group: readonly Asked[]): Promise<void> {
    const sentAt = monotonicMs();
    this.#inFlight += 1;
    const asked = this.#ask(group).finally(() => {
      this.#inFlight -= 1;
      this.#schedule();
    });
    const answers = await asked.catch((error: unknown) => {
      for (const { taker } of group) taker.reject(error);
      if (isRefusal(error, 'deadline_exceeded')) this.#rejectAskedUntil(sentAt, error);
      return null;
    });
    if (answers === null) return;
    this.#learn(answers);
    for (const [place, each] of group.entries()) settle(each, answers[place]);
  }

  async #ask(group: readonly Asked[]): Promise<readonly unknown[]> {
    const [first] = group;
    if (first && group.length === 1) return [(await this.#issue(readRequest(first.operation))) ?? noNode];
    return (await this.#issue(multiReadRequest(group.map(({ operation }) => operation)))) ?? [];
  }

  /** What large ones have taught is forgotten slowly: where one is, more may be. */
  #learn(answers: readonly unknown[]): void {
    let znodes = 0;
    let bytes = 0;
    for (const answer of answers) {
      if (!isZnode(answer)) continue; // how long lists are, says nothing of data
      znodes += 1;
      bytes += answer.data.length;
    }
    if (znodes > 0) this.#bytesPerRead = Math.max(1, bytes / znodes, this.#bytesPerRead * 0.75);
  }

  /** They have waited for their turn as long as an operation may take. */
  #rejectAskedUntil(time: number, error: unknown): void {
    const later = this.#asked.findIndex(({ askedAt }) => askedAt > time);
    const late = this.#asked.splice(0, later < 0 ? this.#asked.length : later);
    for (const { taker } of late) taker.reject(error);
  }
}

function settle({ operation, taker }: Asked, answer: unknown): void {
  if (answer === noNode) taker.resolve(null);
  else if (typeof answer === 'number') taker.reject(CoordinationError.refused(answer, `a read of ${operation.path}`));
  else taker.resolve(answer);
}

function isZnode(answer: unknown): answer is Znode {
  return typeof answer === 'object' && answer !== null && 'data' in answer;
}
