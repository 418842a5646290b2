// The units of one group commit as one list of operations, and back again. A condition that several units have, such as the
// registration of the worker that all of them are about, stands in it once. Pure.

import { invariant } from '../domain/invariant.ts';
import type { Operation, OperationResult } from './zookeeper-requests.ts';

/**
 * How many of the units, from the first on, may share a transaction: two that create the same znode may not. The second would be refused
 * for what the first has not done yet, and whoever looks then finds nothing there.
 */
export function sharableLength(units: readonly (readonly Operation[])[]): number {
  const created = new Set<string>();
  for (const [place, unit] of units.entries()) {
    for (const operation of unit) {
      if (operation.kind !== 'create' || operation.mode === 'sequential') continue;
      if (created.has(operation.path)) return Math.max(1, place);
      created.add(operation.path);
    }
  }
  return units.length;
}

export class SharedTransaction {
  readonly operations: Operation[];
  /** Of each unit, where its operations stand. */
  readonly #places: readonly (readonly number[])[];

  /** `guards` stand first. */
  constructor(guards: readonly Operation[], units: readonly (readonly Operation[])[]) {
    this.operations = [...guards];
    /** Checks that still hold at this point of the transaction, by path. */
    const checks = new Map<string, { version: number | null; place: number }>();
    const placeOf = (operation: Operation): number => {
      const { kind, path } = operation;
      const known = checks.get(path);
      if (kind === 'check' && known?.version === operation.version) return known.place;
      const place = this.operations.push(operation) - 1;
      if (kind === 'check') checks.set(path, { version: operation.version, place });
      else checks.delete(path);
      return place;
    };
    this.#places = units.map((unit) => unit.map(placeOf));
  }

  /** What came of the operations of one unit, in their order. */
  resultsOf(unit: number, results: readonly OperationResult[]): OperationResult[] {
    return (this.#places[unit] ?? []).map((place) => {
      const result = results[place];
      invariant(result, `no result of operation ${place} of ${this.operations.length}`);
      return result;
    });
  }

  /** Whose operation stands at `place`: the units that have it, each with the index within it; none for a guard. */
  ownersOf(place: number): { unit: number; index: number }[] {
    return this.#places
      .map((places, unit) => ({ unit, index: places.indexOf(place) }))
      .filter(({ index }) => index >= 0);
  }
}
