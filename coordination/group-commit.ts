// Group commit: what arrives while transactions are in flight shares the next one, so that many tasks cost one commit
// and a lone task waits for nothing. Never a timer: a batch is what gathered by itself.
//
// 1. A unit (some operations that belong together) is applied whole or not at all.
// 2. A unit that the server refuses is taken out, with those that have the refused condition, too; the others of its transaction
//    go again at once.
// 3. Guards stand first in every transaction; one that is refused fails all units as `fenced`.
// 4. Two units that create the same znode are never in one transaction.
// 5. Units are sent in the order in which they came; nothing that was sent without an answer is sent again.

import { batchLength, type Sized } from '../domain/batch.ts';
import { limits } from '../domain/limits.ts';
import { CoordinationError } from './coordination-error.ts';
import type { Session } from './session.ts';
import { SharedTransaction, sharableLength } from './shared-transaction.ts';
import type { Operation, OperationResult } from './zookeeper-requests.ts';

interface Unit extends Sized {
  readonly list: readonly Operation[];
  resolve(results: OperationResult[]): void;
  reject(error: unknown): void;
}

/** Beside its path and data: opcodes, lengths, version, and the ACL of a create. */
const operationOverheadBytes = 64;

export class GroupCommit {
  readonly #session: Session;
  readonly #guards: readonly Operation[];
  #queue: Unit[] = [];
  #inFlight = 0;
  #scheduled = false;

  /** `guards` are checked with every transaction: what must hold for us to be allowed to write at all. */
  constructor(session: Session, guards: readonly Operation[] = []) {
    this.#session = session;
    this.#guards = guards;
  }

  /** Results of the unit's own operations; throws {@link CoordinationError} with the index within the unit. */
  commit(operations: readonly Operation[]): Promise<OperationResult[]> {
    return new Promise((resolve, reject) => {
      const bytes = operations.reduce((sum, operation) => sum + operationBytes(operation), 0);
      this.#queue.push({ list: operations, operations: operations.length, bytes, resolve, reject });
      this.#schedule();
    });
  }

  /**
   * A lone unit goes with what else this callback of the event loop brings; while something is in flight the whole turn is waited
   * for, so that what a burst of requests on many connections caused goes together.
   */
  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0 || this.#inFlight >= limits.transactionsInFlightMax) return;
    this.#scheduled = true;
    const soon = this.#inFlight === 0 ? process.nextTick : setImmediate;
    soon(() => {
      this.#scheduled = false;
      const count = batchLength(this.#queue, limits.transactionOperationsMax, limits.transactionBytesMax);
      const units = this.#queue.splice(0, count);
      this.#queue.unshift(...units.splice(sharableLength(units.map(({ list }) => list))));
      void this.#send(units);
      this.#schedule();
    });
  }

  async #send(units: Unit[]): Promise<void> {
    const transaction = new SharedTransaction(
      this.#guards,
      units.map(({ list }) => list),
    );
    this.#inFlight += 1;
    try {
      const results = await this.#session.commit(transaction.operations);
      for (const [place, unit] of units.entries()) unit.resolve(transaction.resultsOf(place, results));
    } catch (error) {
      this.#onFailure(units, transaction, error);
    } finally {
      this.#inFlight -= 1;
      this.#schedule();
    }
  }

  #onFailure(units: Unit[], transaction: SharedTransaction, error: unknown): void {
    const refused = error instanceof CoordinationError ? error.operationIndex : null;
    if (!(error instanceof CoordinationError) || refused === null) {
      for (const unit of units) unit.reject(error);
      return;
    }
    const owners = transaction.ownersOf(refused);
    if (owners.length === 0) {
      const fenced = new CoordinationError('fenced', 'not applied', `a guard was refused: ${error.what}`);
      for (const unit of units) unit.reject(fenced);
      return;
    }
    for (const { unit, index } of owners) {
      units[unit]?.reject(new CoordinationError(error.code, error.outcome, error.what, index));
    }
    const refusedUnits = new Set(owners.map(({ unit }) => unit));
    this.#queue.unshift(...units.filter((_, place) => !refusedUnits.has(place)));
  }
}

function operationBytes(operation: Operation): number {
  const data = 'data' in operation ? operation.data.length : 0;
  return operationOverheadBytes + operation.path.length + data;
}
