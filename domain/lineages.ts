// Which tasks run which again (`retryOf`), however often, and who waits for them: a tree of names. A name keeps its place when
// its task is gone, as long as it ties one that is kept, or is waited for, to what that runs again. Each name says only the
// best of what runs it again, so that most changes go no further than to the next one, however long the row is. Pure.

import type { FinalState, TaskId } from './task.ts';
import type { TaskEntry } from './task-entry.ts';
import { taskNumber } from './task-id.ts';

/** What a task has come to, for those that come after it. `ended`: how, has not been read yet. `gone`: there is none of that name. */
export type Outcome = 'unfinished' | 'ended' | FinalState | 'gone';

/** Of the tasks that run one again, however often: one has succeeded, one has ended and may have, there is one at least, or none. */
export type Best = 'succeeded' | 'ended' | 'kept' | 'none';

/** What those that come after a task have been told of it. */
export interface Told {
  readonly outcome: Outcome;
  readonly retried: Best;
  /** It waits for a task that may be still to come. */
  readonly stepsAside: boolean;
}

/** A task by its name, as one that others come after or run again. */
export interface Kin {
  readonly id: TaskId;
  outcome: Outcome;
  told: Told;
  /** The one that it runs again, or, where that need not be known any more, the one that that ran again. */
  original: Kin | null;
  readonly retries: Set<Kin>;
  /** For how many of its retries this is the best of them and of what runs them again. */
  readonly best: Record<Best, number>;
  /** Those that come after it and were not let go. */
  readonly followers: Set<TaskEntry>;
  /** How many have followers: of itself and of those that it runs again. */
  awaited: number;
}

export class Lineages {
  readonly #kin = new Map<TaskId, Kin>();
  readonly #outcomeOf: (id: TaskId) => Outcome;
  readonly #onRetried: (kin: Kin) => void;
  readonly #onAwaited: (id: TaskId) => void;
  /** Those that may be needed no more. */
  readonly #toReview = new Set<Kin>();

  /** `onRetried` is told where what runs a task again has changed, `onAwaited` where somebody begins or ceases to wait for one. */
  constructor(outcomeOf: (id: TaskId) => Outcome, onRetried: (kin: Kin) => void, onAwaited: (id: TaskId) => void) {
    this.#outcomeOf = outcomeOf;
    this.#onRetried = onRetried;
    this.#onAwaited = onAwaited;
  }

  /** Names that are known here. */
  get size(): number {
    return this.#kin.size;
  }

  get(id: TaskId): Kin | null {
    return this.#kin.get(id) ?? null;
  }

  of(id: TaskId): Kin {
    const known = this.#kin.get(id);
    if (known) return known;
    const outcome = this.#outcomeOf(id);
    const kin: Kin = {
      ...{ id, outcome, told: { outcome, retried: 'none', stepsAside: false }, original: null, retries: new Set() },
      ...{ best: { succeeded: 0, ended: 0, kept: 0, none: 0 }, followers: new Set(), awaited: 0 },
    };
    this.#kin.set(id, kin);
    return kin;
  }

  /** Of all that run it again the newest that has not ended, else the newest; null where none is kept. */
  lastRetryOf(id: TaskId): TaskId | null {
    const retries = lineageOf(this.get(id)).filter((kin) => kin.id !== id && kin.outcome !== 'gone');
    const open = retries.filter(({ outcome }) => outcome === 'unfinished');
    let last: TaskId | null = null;
    for (const kin of open.length > 0 ? open : retries) {
      if (last === null || taskNumber(last) < taskNumber(kin.id)) last = kin.id;
    }
    return last;
  }

  setOutcome(kin: Kin, outcome: Outcome): void {
    if (outcome === kin.outcome) return;
    this.#change(kin, () => {
      kin.outcome = outcome;
    });
    if (outcome !== 'gone') return;
    this.#toReview.add(kin);
    if (kin.original) this.#toReview.add(kin.original);
  }

  setOriginal(kin: Kin, original: Kin | null): void {
    if (kin.original === original) return;
    const { original: last } = kin;
    if (last) {
      this.#tie(kin, last, -1);
      this.#toReview.add(last).add(kin);
    }
    if (original) this.#tie(kin, original, 1);
  }

  follow(kin: Kin, follower: TaskEntry): void {
    kin.followers.add(follower);
    if (kin.followers.size === 1) this.#noteAwaited(kin, 1);
  }

  leave(kin: Kin, follower: TaskEntry): void {
    if (!kin.followers.delete(follower) || kin.followers.size > 0) return;
    this.#noteAwaited(kin, -1);
    this.#toReview.add(kin);
  }

  /** To be called when every task has been read: until then one may turn out to run again what is gone. */
  forgetUnneeded(): void {
    for (const kin of this.#toReview) {
      this.#toReview.delete(kin);
      if (isNeeded(kin)) continue;
      const { original } = kin;
      this.#kin.delete(kin.id);
      for (const retry of kin.retries) retry.original = original;
      if (!original) continue;
      original.retries.delete(kin);
      original.best[bestOf(kin)] -= 1;
      for (const retry of kin.retries) {
        original.retries.add(retry);
        original.best[bestOf(retry)] += 1;
      }
      this.#toReview.add(original);
    }
  }

  /** It becomes one of those that run `original` again, with all that runs it again itself, or ceases to be. */
  #tie(kin: Kin, original: Kin, by: 1 | -1): void {
    this.#change(original, () => {
      original.best[bestOf(kin)] += by;
      if (by > 0) original.retries.add(kin);
      else original.retries.delete(kin);
      kin.original = by > 0 ? original : null;
    });
    this.#onRetried(original);
    if (original.awaited > 0) this.#noteAwaited(kin, by * original.awaited);
  }

  /** What it runs again learns of it as far as that makes the best of it another. */
  #change(kin: Kin, change: () => void): void {
    let last = bestOf(kin);
    change();
    for (let at = kin; at.original; at = at.original) {
      const next = bestOf(at);
      if (next === last) return;
      const { original } = at;
      const lastOfOriginal = bestOf(original);
      original.best[last] -= 1;
      original.best[next] += 1;
      this.#onRetried(original);
      last = lastOfOriginal;
    }
  }

  #noteAwaited(kin: Kin, by: number): void {
    for (const next of lineageOf(kin)) {
      const wasAwaited = next.awaited > 0;
      next.awaited += by;
      if (next.awaited > 0 !== wasAwaited) this.#onAwaited(next.id);
    }
  }
}

/** It and all that run it again, however often. */
function lineageOf(kin: Kin | null): Kin[] {
  const lineage = kin ? [kin] : [];
  for (const { retries } of lineage) for (const retry of retries) lineage.push(retry);
  return lineage;
}

/** The best of what runs it again. */
export function retriedOf({ best }: Kin): Best {
  if (best.succeeded > 0) return 'succeeded';
  if (best.ended > 0) return 'ended';
  return best.kept > 0 ? 'kept' : 'none';
}

/** The best of it and of what runs it again. */
function bestOf(kin: Kin): Best {
  const { outcome } = kin;
  const retried = retriedOf(kin);
  if (outcome === 'succeeded' || retried === 'succeeded') return 'succeeded';
  if (outcome === 'ended') return 'ended';
  return retried === 'none' && outcome !== 'gone' ? 'kept' : retried;
}

/** Of those that are gone only what one that is there runs again, and what is waited for. */
function isNeeded({ outcome, followers, original, retries }: Kin): boolean {
  if (followers.size > 0) return true;
  if (outcome !== 'gone') return original !== null || retries.size > 0;
  for (const retry of retries) if (retry.outcome !== 'gone') return true;
  return false;
}
