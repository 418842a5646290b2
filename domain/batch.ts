// How many units of work share the next transaction. A unit is never split; the first one always fits, so that an
// oversized unit fails by itself instead of blocking the queue. Pure.

export interface Sized {
  readonly operations: number;
  readonly bytes: number;
}

/** The number of units, from the front, that go together within both limits. */
export function batchLength(units: readonly Sized[], operationsMax: number, bytesMax: number): number {
  let operations = 0;
  let bytes = 0;
  let count = 0;
  for (const unit of units) {
    operations += unit.operations;
    bytes += unit.bytes;
    if (count > 0 && (operations > operationsMax || bytes > bytesMax)) break;
    count += 1;
  }
  return count;
}
