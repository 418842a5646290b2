// Tasks that were submitted together under one idempotency key. The key goes with the first of them, so that one is kept for
// as long as any other is: a repeated submit then finds those that are left. Members have consecutive numbers of one
// transaction. Pure.

import { briefOf, type TaskEntry } from './task-entry.ts';

interface Batch {
  members: number;
  /** The first one, where it is to go as soon as it is the only one. */
  held: TaskEntry | null;
}

export class KeyedBatches {
  readonly #batches = new Map<string, Batch>();
  readonly #onAlone: (first: TaskEntry) => void;

  /** `onAlone` is told of a first one that was held back, once the others are gone. */
  constructor(onAlone: (first: TaskEntry) => void) {
    this.#onAlone = onAlone;
  }

  /** `change` may make it another task, or none: of which batch it is a member is compared before and after. */
  follow(entry: TaskEntry, change: () => void): void {
    const before = keyOf(entry);
    change();
    const after = keyOf(entry);
    if (before === after) return; // read once more, after a reconnect say: who is held stays so
    if (before !== null) this.#leave(before, entry);
    if (after !== null) this.#join(after);
  }

  /** True: it is the first of a batch of which others are still there, and it will be told of when they are gone. */
  hold(entry: TaskEntry): boolean {
    const key = briefOf(entry)?.batch?.index === 0 ? keyOf(entry) : null;
    const batch = key === null ? null : this.#batches.get(key);
    if (!batch || batch.members <= 1) return false;
    batch.held = entry;
    return true;
  }

  #join(key: string): void {
    const batch = this.#batches.get(key);
    if (batch) batch.members += 1;
    else this.#batches.set(key, { members: 1, held: null });
  }

  #leave(key: string, entry: TaskEntry): void {
    const batch = this.#batches.get(key);
    if (!batch) return;
    batch.members -= 1;
    if (batch.held === entry) batch.held = null;
    if (batch.members === 0) this.#batches.delete(key);
    if (batch.members !== 1 || !batch.held) return;
    const first = batch.held;
    batch.held = null;
    this.#onAlone(first);
  }
}

/** Its transaction may have made other batches too; the number of the first tells them apart. */
function keyOf(entry: TaskEntry): string | null {
  const brief = briefOf(entry);
  if (!brief?.batch || brief.idempotencyKey === null || !entry.position) return null;
  return `${entry.position.czxid} ${entry.position.number - brief.batch.index}`;
}
