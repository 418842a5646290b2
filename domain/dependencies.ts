// Which tasks come after which (`after`), and what that means for each that waits: it may be let go, it waits on, or it is to
// fail. Each counts what of its own stands how, and is told of changes one by one, so that a change costs the same for each that
// waits, however many it waits for; it is looked at again where it amounts to something else. Retries count for those that wait
// for one (`afterFailure` wait), however often a task was run again (lineages.ts).
//
// Names count for the order here: a task comes after tasks of a lower number, and a retry has a higher one than what it runs
// again, so nothing goes round in circles. Only a person can make a task that comes after itself or a later one; it waits. Pure.

import { type Kin, Lineages, type Outcome, retriedOf, type Told } from './lineages.ts';
import type { TaskId } from './task.ts';
import { briefOf, type Links, type TaskEntry } from './task-entry.ts';
import { parseTaskId, taskNumber } from './task-id.ts';

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
  readonly #lineages: Lineages;

  constructor(tasks: ReadonlyMap<TaskId, TaskEntry>, lookAgain: (entry: TaskEntry) => void) {
    this.#tasks = tasks;
    this.#lookAgain = lookAgain;
    this.#lineages = new Lineages(
      (id) => outcomeOf(tasks.get(id)),
      (kin) => this.#tell(kin, kin.told.stepsAside),
      (id) => {
        const entry = tasks.get(id);
        if (entry) lookAgain(entry);
      },
    );
  }

  /** Names that somebody waits for or runs again. */
  get size(): number {
    return this.#lineages.size;
  }

  /** To be called after each change of the entry. */
  update(entry: TaskEntry): void {
    this.#link(entry);
    this.#linkRetry(entry);
    const kin = this.#lineages.get(entry.id);
    if (!kin) return;
    this.#lineages.setOutcome(kin, outcomeOf(entry));
    this.#tell(kin, stepsAside(entry));
  }

  /** To be called when every task has been read: what is gone and ties nothing together any more is forgotten. */
  forgetUnneeded(): void {
    this.#lineages.forgetUnneeded();
  }

  /** Null: it comes after none, or was let go. */
  verdictOf({ links }: TaskEntry): Verdict | null {
    if (!links) return null;
    const amount = amountOf(links);
    if (amount === 'failed') return this.#failureOf(links);
    return amount === 'met' ? met : waits;
  }

  /** Those that it still waits for, in the order in which it names them. */
  unmetOf({ links }: TaskEntry): UnmetDependency[] {
    if (!links) return [];
    return links.after.flatMap((task) => {
      const standing = this.#standingOf(task, links);
      if (!isUnmet(standing)) return [];
      return [{ task, waitsFor: standing, retry: standing === 'retry' ? this.#lineages.lastRetryOf(task) : null }];
    });
  }

  /** Somebody still waits for it, or for what it runs again. */
  isAwaited({ id }: TaskEntry): boolean {
    return (this.#lineages.get(id)?.awaited ?? 0) > 0;
  }

  /** Stands with those that it comes after, as long as it waits. */
  #link(entry: TaskEntry): void {
    const { links } = entry;
    const after = afterOf(entry);
    const afterFailure = briefOf(entry)?.afterFailure ?? 'fail';
    if ((links?.after ?? none) === after && (links?.afterFailure ?? afterFailure) === afterFailure) return;
    for (const id of new Set(links?.after)) this.#lineages.leave(this.#lineages.of(id), entry);
    const number = taskNumber(entry.id);
    entry.links = after.length > 0 ? { after, afterFailure, number, unmet: 0, later: 0, failed: 0 } : null;
    for (const id of new Set(after)) {
      const kin = this.#lineages.of(id);
      this.#tell(kin, stepsAside(this.#tasks.get(id)));
      this.#lineages.follow(kin, entry);
      if (entry.links) count(entry.links, id, kin.told, 1);
    }
  }

  /** Stands with the one that it runs again. A task that is gone stays where it was, and so do those that run it again. */
  #linkRetry(entry: TaskEntry): void {
    if (entry.fact === null || entry.fact === 'unread') return;
    const retryOf = originalOf(entry);
    const kin = retryOf === null ? this.#lineages.get(entry.id) : this.#lineages.of(entry.id);
    if (kin) this.#lineages.setOriginal(kin, retryOf === null ? null : this.#lineages.of(retryOf));
  }

  /** Tells those that come after it what has become of it and of what runs it again. */
  #tell(kin: Kin, stepsAside: boolean): void {
    const { id, told: last, outcome } = kin;
    const retried = retriedOf(kin);
    if (outcome === last.outcome && retried === last.retried && stepsAside === last.stepsAside) return;
    kin.told = { outcome, retried, stepsAside };
    for (const follower of kin.followers) {
      const { links } = follower;
      if (!links) continue;
      const before = amountOf(links);
      count(links, id, last, -1);
      count(links, id, kin.told, 1);
      if (amountOf(links) !== before) this.#lookAgain(follower);
    }
  }

  /** How the task `id` stands for one that comes after it. */
  #standingOf(id: TaskId, links: Links): Standing {
    const kin = this.#lineages.get(id);
    return kin ? standingOf(id, kin.told, links) : 'gone';
  }

  #failureOf(links: Links): Verdict {
    for (const task of links.after) {
      const outcome = this.#standingOf(task, links);
      if (outcome !== 'done' && !isUnmet(outcome)) return { kind: 'failed', task, outcome };
    }
    return waits;
  }
}

/** How a task that others come after stands for one of them. */
function standingOf(id: TaskId, { outcome, retried }: Told, { number, afterFailure }: Links): Standing {
  if (outcome === 'succeeded') return 'done';
  if (outcome === 'unfinished' || outcome === 'ended') return 'end';
  if (outcome === 'gone' && taskNumber(id) >= number) return 'creation';
  if (afterFailure === 'run') return 'done';
  if (afterFailure === 'fail') return outcome;
  if (retried === 'succeeded') return 'done';
  if (retried === 'ended') return 'end';
  return outcome !== 'gone' || retried === 'kept' ? 'retry' : 'gone';
}

/** Takes it into account, or, by -1, out of it, as it was told. */
function count(links: Links, id: TaskId, told: Told, by: 1 | -1): void {
  const standing = standingOf(id, told, links);
  if (standing === 'done') return;
  if (!isUnmet(standing)) {
    links.failed += by;
    return;
  }
  links.unmet += by;
  if (standing !== 'end' || told.stepsAside || taskNumber(id) >= links.number) links.later += by;
}

function amountOf({ failed, unmet, later }: Links): 'failed' | 'met' | 'waits' | 'steps aside' {
  if (failed > 0) return 'failed';
  if (unmet === 0) return 'met';
  return later === 0 ? 'waits' : 'steps aside';
}

/** It waits, itself or through those that it comes after, for a task that may be still to come. */
export function stepsAside(entry: TaskEntry | undefined): boolean {
  return entry?.links ? amountOf(entry.links) === 'steps aside' : false;
}

function outcomeOf(entry: TaskEntry | undefined): Outcome {
  if (!entry || entry.fact === null) return 'gone';
  if (entry.status === null) return 'unfinished';
  return entry.status === 'unread' ? 'ended' : entry.status.state;
}

const none: readonly TaskId[] = Object.freeze([]);

/** The tasks that it waits for: none once it was let go or has ended, also where its status has just gone and it goes, too. */
function afterOf(entry: TaskEntry): readonly TaskId[] {
  const isOpen = entry.status === null && entry.unblockedAt === null && entry.goneUntil === 0;
  const after = isOpen ? briefOf(entry)?.after : none;
  return after && after.length > 0 ? after : none;
}

/** The task that it runs again; whatever else a person says there is none. */
function originalOf(entry: TaskEntry): TaskId | null {
  const original = parseTaskId(briefOf(entry)?.retryOf ?? '');
  return original && taskNumber(original) < taskNumber(entry.id) ? original : null;
}

function isUnmet(standing: Standing): standing is UnmetDependency['waitsFor'] {
  return standing === 'end' || standing === 'retry' || standing === 'creation';
}
