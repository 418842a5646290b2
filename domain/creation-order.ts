// Tasks in the order of their creation, for lists: by transaction, then by number within it. Kept in runs of neighbours, each
// in order, so that a fact which arrives in any order costs a search and the shift of one short run. Pure.

import type { ListPosition } from './master-index.ts';

/** What stands in the order. Its position must not change while it does, and is not null. */
export interface Placed {
  readonly id: string;
  readonly position: ListPosition | null;
}

/** A run that has grown to this is cut in two. */
const runLengthMax = 512;

export class CreationOrder<T extends Placed> {
  /** None of them empty. */
  readonly #runs: T[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    this.#size += 1;
    const at = Math.max(0, this.#runOf(item));
    const run = this.#runs[at];
    if (!run) {
      this.#runs.push([item]);
      return;
    }
    run.splice(firstNotBefore(run, item), 0, item);
    if (run.length > runLengthMax) this.#runs.splice(at + 1, 0, run.splice(cutOf(run, item)));
  }

  delete(item: T): void {
    const at = this.#runOf(item);
    const run = this.#runs[at];
    if (!run) return;
    const place = firstNotBefore(run, item);
    if (run[place]?.id !== item.id) return;
    run.splice(place, 1);
    this.#size -= 1;
    if (run.length === 0) this.#runs.splice(at, 1);
  }

  /** The oldest; null where there is none. */
  first(): T | null {
    return this.#runs[0]?.[0] ?? null;
  }

  /** How many are older than `position`. */
  countBefore(position: ListPosition): number {
    const start = { id: '', position };
    const at = this.#runOf(start);
    const run = this.#runs[at];
    if (!run) return 0;
    let count = firstNotBefore(run, start);
    for (let before = 0; before < at; before += 1) count += this.#runs[before]?.length ?? 0;
    return count;
  }

  /** From the newest, or from the newest that is older than `after`, to the oldest. Not for use across changes. */
  *newestFirst(after: ListPosition | null): Generator<T> {
    const start = after && { id: '', position: after };
    let at = start ? this.#runOf(start) : this.#runs.length - 1;
    for (let isFirst = true; at >= 0; at -= 1, isFirst = false) {
      const run = this.#runs[at] ?? [];
      const end = start && isFirst ? firstNotBefore(run, start) : run.length;
      for (let place = end - 1; place >= 0; place -= 1) yield run[place] as T;
    }
  }

  /** The last run that begins no later than `item`; -1 where all begin later. */
  #runOf(item: Placed): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(item, this.#runs[middle]?.[0] as T)) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }
}

/** In the middle; but where the newest was added at the end the run stays full, as what comes next comes behind it. */
function cutOf<T extends Placed>(run: readonly T[], added: T): number {
  return run.at(-1) === added ? run.length - 1 : run.length >> 1;
}

function firstNotBefore(run: readonly Placed[], item: Placed): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(run[middle] as Placed, item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The name only tells those apart that a person named alike: `task-1` and `task-01` of one transaction. */
function isBefore(a: Placed, b: Placed): boolean {
  const [first, second] = [a.position as ListPosition, b.position as ListPosition];
  if (first.czxid !== second.czxid) return first.czxid < second.czxid;
  if (first.number !== second.number) return first.number < second.number;
  return a.id < b.id;
}
