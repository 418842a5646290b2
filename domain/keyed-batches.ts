// Tasks that were submitted together under one idempotency key, which goes when the last of them has gone, whoever removed
// them. Members have consecutive numbers of one transaction. Pure.

import { briefOf, type TaskEntry } from './task-entry.ts';

export interface KeyedBatch {
  readonly idempotencyKey: string;
  /** The transaction that made them and their key. */
  readonly czxid: bigint;
  /** Number of the first. */
  readonly first: number;
  readonly size: number;
}

export class KeyedBatches {
  readonly #members = new Map<string, number>();
  /** Told of each batch of which none is left that was read, while somebody wants to know. */
  onGone: ((batch: KeyedBatch) => void) | null = null;

  /** `change` may make it another task, or none: of which batch it is a member is compared before and after. */
  follow(entry: TaskEntry, change: () => void): void {
    const before = batchOf(entry);
    change();
    const after = batchOf(entry);
    if (nameOf(before) === nameOf(after)) return; // read once more, after a reconnect say
    if (before) this.#leave(before);
    if (after) this.#members.set(nameOf(after), (this.#members.get(nameOf(after)) ?? 0) + 1);
  }

  #leave(batch: KeyedBatch): void {
    const name = nameOf(batch);
    const rest = (this.#members.get(name) ?? 0) - 1;
    if (rest > 0) {
      this.#members.set(name, rest);
      return;
    }
    this.#members.delete(name);
    this.onGone?.(batch);
  }
}

function batchOf(entry: TaskEntry): KeyedBatch | null {
  const brief = briefOf(entry);
  if (!brief?.batch || brief.idempotencyKey === null || !entry.position) return null;
  const { czxid, number } = entry.position;
  return { idempotencyKey: brief.idempotencyKey, czxid, first: number - brief.batch.index, size: brief.batch.size };
}

/** A transaction may have made other batches too; the number of the first tells them apart. */
function nameOf(batch: KeyedBatch | null): string {
  return batch ? `${batch.czxid} ${batch.first}` : '';
}
