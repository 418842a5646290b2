// Group read: reads that are asked for in one turn of the event loop travel in one request (multi-read, ZooKeeper 3.6),
// since a request costs the server and us several times what one more read in it does; and what is asked for while enough
// requests are in flight shares the next. Never a timer, as with commits.
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

interface Asked extends Sized {
  readonly operation: ReadOperation<unknown>;
  readonly askedAt: number;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
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
    return new Promise((resolve, reject) => {
      const size = { operations: 1, bytes: operationOverheadBytes + Buffer.byteLength(operation.path) };
      const asked = { operation, askedAt: monotonicMs(), resolve: resolve as (answer: unknown) => void, reject };
      this.#asked.push({ ...asked, ...size });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#asked.length === 0 || this.#inFlight >= limits.readRequestsInFlightMax) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      const fitting = Math.max(limits.readsPerRequestMin, Math.floor(limits.readBytesAimedAt / this.#bytesPerRead));
      const most = Math.min(fitting, limits.readsPerRequestMax);
      const count = batchLength(this.#asked, most, limits.readRequestBytesMax);
      void this.#send(this.#asked.splice(0, count));
      this.#schedule();
    });
  }

  async #send(group: readonly Asked[]): Promise<void> {
    const sentAt = monotonicMs();
    this.#inFlight += 1;
    try {
      this.#learn(await this.#ask(group));
    } catch (error) {
      for (const { reject } of group) reject(error);
      if (isRefusal(error, 'deadline_exceeded')) this.#rejectAskedUntil(sentAt, error);
    } finally {
      this.#inFlight -= 1;
      this.#schedule();
    }
  }

  async #ask(group: readonly Asked[]): Promise<readonly unknown[]> {
    const [first] = group;
    if (first && group.length === 1) {
      const answer = await this.#issue(readRequest(first.operation));
      first.resolve(answer);
      return [answer];
    }
    const answers = (await this.#issue(multiReadRequest(group.map(({ operation }) => operation)))) ?? [];
    for (const [place, asked] of group.entries()) settle(asked, answers[place]);
    return answers;
  }

  /** What large ones have taught is forgotten slowly: where one is, more may be. */
  #learn(answers: readonly unknown[]): void {
    const znodes = answers.filter(isZnode);
    if (znodes.length === 0) return; // how long lists are, says nothing of data
    const bytes = znodes.reduce((sum, { data }) => sum + data.length, 0);
    this.#bytesPerRead = Math.max(1, bytes / znodes.length, this.#bytesPerRead * 0.75);
  }

  /** They have waited for their turn as long as an operation may take. */
  #rejectAskedUntil(time: number, error: unknown): void {
    const later = this.#asked.findIndex(({ askedAt }) => askedAt > time);
    const late = this.#asked.splice(0, later < 0 ? this.#asked.length : later);
    for (const { reject } of late) reject(error);
  }
}

function settle({ operation, resolve, reject }: Asked, answer: unknown): void {
  if (answer === noNode) resolve(null);
  else if (typeof answer === 'number') reject(CoordinationError.refused(answer, `a read of ${operation.path}`));
  else resolve(answer);
}

function isZnode(answer: unknown): answer is Znode {
  return typeof answer === 'object' && answer !== null && 'data' in answer;
}
