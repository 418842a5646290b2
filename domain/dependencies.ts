// Which tasks come after which (`after`), and what that means for each that waits: it may be let go, it waits on, or it is to
// fail. Kept up with each change of a task: whoever waits for it is looked at again when it has ended, is gone, or when one that
// runs it again (`retryOf`) has. Retries count for those that wait for one (`afterFailure` wait), however often it was run again.
//
// Names count for the order here: a task comes after tasks of a lower number, and a retry has a higher one than what it runs
// again, so nothing goes round in circles. Only a person can make a task that comes after itself or a later one; it waits. Pure.

import type { FinalState, TaskId } from './task.ts';
import { briefOf, type Links, type TaskEntry } from './task-entry.ts';
import { parseTaskId, taskNumber } from './task-id.ts';

/** What a task has come to, for those that come after it. `ended`: how, has not been read yet. `gone`: there is none of that name. */
export type Outcome = 'unfinished' | 'ended' | FinalState | 'gone';

export type Verdict =
  | { readonly kind: 'waits' }
  /** It may go. */
  | { readonly kind: 'met' }
  /** It is to fail: `task` did not succeed. */
  | { readonly kind: 'failed'; readonly task: TaskId; readonly outcome: 'failed' | 'cancelled' | 'gone' };

/** As the error of the task that is to fail says it. */
export function failureText({ task, outcome }: Verdict & { readonly kind: 'failed' }): string {
  const what = { failed: 'which failed', cancelled: 'which was cancelled', gone: 'which is gone' };
  return `it comes after ${task}, ${what[outcome]}`;
}

/** A task that does not let another go yet. */
export interface UnmetDependency {
  readonly task: TaskId;
  /** Its end; its retry, since it did not succeed itself; its creation, where a person named a task that is still to come. */
  readonly waitsFor: 'end' | 'retry' | 'creation';
  /** Of the retries that it waits for the newest that has not ended, else the newest; null where there is none. */
  readonly retry: TaskId | null;
}

type Standing = 'done' | UnmetDependency['waitsFor'] | 'failed' | 'cancelled' | 'gone';

const waits: Verdict = { kind: 'waits' };
const met: Verdict = { kind: 'met' };

export class Dependencies {
  readonly #tasks: ReadonlyMap<TaskId, TaskEntry>;
  readonly #lookAgain: (entry: TaskEntry) => void;
  /** Those that wait for a task, by its name; it need not exist. */
  readonly #followers = new Map<TaskId, Set<TaskEntry>>();
  /** Those that run a task again, by its name. */
  readonly #retries = new Map<TaskId, Set<TaskEntry>>();

  constructor(tasks: ReadonlyMap<TaskId, TaskEntry>, lookAgain: (entry: TaskEntry) => void) {
    this.#tasks = tasks;
    this.#lookAgain = lookAgain;
  }

  /** To be called after each change of the entry. */
  update(entry: TaskEntry): void {
    const stoodAside = entry.links?.stepsAside ?? false;
    this.#link(entry);
    if (entry.links) this.#judge(entry, entry.links);
    const outcome = outcomeOf(entry);
    if (outcome === entry.outcome && stoodAside === (entry.links?.stepsAside ?? false)) return;
    entry.outcome = outcome;
    this.#tellFollowers(entry.id);
  }

  /** Null: it comes after none, or was let go. */
  verdictOf({ links }: TaskEntry): Verdict | null {
    return links && links.after.length > 0 ? links.verdict : null;
  }

  /** Those that it still waits for, in the order in which it names them. */
  unmetOf(entry: TaskEntry): UnmetDependency[] {
    return (entry.links?.after ?? []).flatMap((task) => {
      const standing = this.#standingOf(task, entry);
      if (!isUnmet(standing)) return [];
      return [{ task, waitsFor: standing, retry: standing === 'retry' ? this.#lastRetryOf(task) : null }];
    });
  }

  /** Somebody still waits for it, or for what it runs again. */
  isAwaited(entry: TaskEntry): boolean {
    for (let at: TaskId | null = entry.id; at !== null; at = this.#tasks.get(at)?.links?.retryOf ?? null) {
      if (this.#followers.has(at)) return true;
    }
    return false;
  }

  /** Stands where its facts put it: with those that it comes after, as long as it waits, and with the one that it runs again. */
  #link(entry: TaskEntry): void {
    const { links } = entry;
    const after = afterOf(entry);
    const retryOf = originalOf(entry);
    if ((links?.after ?? none) === after && (links?.retryOf ?? null) === retryOf) return;
    const isLinked = after.length > 0 || retryOf !== null;
    entry.links = isLinked ? { after, retryOf, verdict: waits, stepsAside: false } : null;
    for (const id of links?.after ?? []) this.#leave(id, entry);
    for (const id of after) this.#follow(id, entry);
    if (links?.retryOf !== retryOf) this.#runsAgain(entry, links?.retryOf ?? null, retryOf);
  }

  #follow(id: TaskId, entry: TaskEntry): void {
    const isFirst = add(this.#followers, id, entry);
    if (isFirst) this.#lookAtLineage(id);
  }

  #leave(id: TaskId, entry: TaskEntry): void {
    const wasLast = remove(this.#followers, id, entry);
    if (wasLast) this.#lookAtLineage(id);
  }

  #runsAgain(entry: TaskEntry, last: TaskId | null, next: TaskId | null): void {
    if (last !== null) remove(this.#retries, last, entry);
    if (next !== null) add(this.#retries, next, entry);
    for (const id of [last, next]) if (id !== null) this.#tellFollowers(id);
    this.#lookAtLineage(entry.id);
  }

  /** Whether somebody waits for it, or for what it runs again, has changed. */
  #lookAtLineage(id: TaskId): void {
    const entry = this.#tasks.get(id);
    if (entry) this.#lookAgain(entry);
    for (const retry of this.#retriesOf(id)) this.#lookAgain(retry);
  }

  /** Those that wait for the task, or for what it runs again. */
  #tellFollowers(id: TaskId): void {
    for (let at: TaskId | null = id; at !== null; at = this.#tasks.get(at)?.links?.retryOf ?? null) {
      for (const follower of this.#followers.get(at) ?? []) this.#lookAgain(follower);
    }
  }

  /** However often it was run again. */
  #retriesOf(id: TaskId): TaskEntry[] {
    const found = [...(this.#retries.get(id) ?? [])];
    for (const { id: next } of found) for (const retry of this.#retries.get(next) ?? []) found.push(retry);
    return found;
  }

  #lastRetryOf(id: TaskId): TaskId | null {
    const retries = this.#retriesOf(id);
    const open = retries.filter(({ outcome }) => outcome === 'unfinished');
    let last: TaskId | null = null;
    for (const { id: retry } of open.length > 0 ? open : retries) {
      if (last === null || isEarlier(last, retry)) last = retry;
    }
    return last;
  }

  #judge(entry: TaskEntry, links: Links): void {
    let verdict = met;
    let stepsAside = false;
    for (const id of links.after) {
      const standing = this.#standingOf(id, entry);
      if (standing === 'done') continue;
      if (!isUnmet(standing)) {
        links.verdict = { kind: 'failed', task: id, outcome: standing };
        links.stepsAside = false;
        return;
      }
      verdict = waits;
      stepsAside ||= standing !== 'end' || this.#endsLater(id, entry);
    }
    links.verdict = verdict;
    links.stepsAside = stepsAside;
  }

  /** True where its end may have to wait for tasks that are still to come. */
  #endsLater(id: TaskId, entry: TaskEntry): boolean {
    return !isEarlier(id, entry.id) || (this.#tasks.get(id)?.links?.stepsAside ?? false);
  }

  /** How the task `id` stands for `entry`, which comes after it. */
  #standingOf(id: TaskId, entry: TaskEntry): Standing {
    const outcome = this.#tasks.get(id)?.outcome ?? 'gone';
    if (outcome === 'succeeded') return 'done';
    if (outcome === 'unfinished' || outcome === 'ended') return 'end';
    if (outcome === 'gone' && !isEarlier(id, entry.id)) return 'creation';
    const afterFailure = briefOf(entry)?.afterFailure ?? 'fail';
    if (afterFailure === 'run') return 'done';
    if (afterFailure === 'fail') return outcome;
    const retries = this.#retriesOf(id);
    if (retries.some((retry) => retry.outcome === 'succeeded')) return 'done';
    if (retries.some((retry) => retry.outcome === 'ended')) return 'end';
    return outcome !== 'gone' || retries.length > 0 ? 'retry' : 'gone';
  }
}

export function outcomeOf({ fact, status }: TaskEntry): Outcome {
  if (fact === null) return 'gone';
  if (status === null) return 'unfinished';
  return status === 'unread' ? 'ended' : status.state;
}

const none: readonly TaskId[] = Object.freeze([]);

/** The tasks that it waits for: none once it was let go or has ended. */
function afterOf(entry: TaskEntry): readonly TaskId[] {
  const after = entry.status === null && entry.unblockedAt === null ? briefOf(entry)?.after : none;
  return after && after.length > 0 ? after : none;
}

/** The task that it runs again; whatever else a person says there is none. */
function originalOf(entry: TaskEntry): TaskId | null {
  const original = parseTaskId(briefOf(entry)?.retryOf ?? '');
  return original && isEarlier(original, entry.id) ? original : null;
}

function isEarlier(a: TaskId, b: TaskId): boolean {
  return taskNumber(a) < taskNumber(b);
}

function isUnmet(standing: Standing): standing is UnmetDependency['waitsFor'] {
  return standing === 'end' || standing === 'retry' || standing === 'creation';
}

/** True where it is the first under its key. */
function add<K, V>(sets: Map<K, Set<V>>, key: K, value: V): boolean {
  const set = sets.get(key);
  if (set) set.add(value);
  else sets.set(key, new Set([value]));
  return !set;
}

/** True where it was the last under its key. */
function remove<K, V>(sets: Map<K, Set<V>>, key: K, value: V): boolean {
  const set = sets.get(key);
  set?.delete(value);
  return set?.size === 0 && sets.delete(key);
}
