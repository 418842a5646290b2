// Ready tasks in line: one heap for each queue and type, so that a task nobody can take holds up no other kind. A place
// whose task is no longer ready, or stands elsewhere since, is idle: whoever looks for the head drops it, and when idle
// places outnumber the tasks they are tidied away. Pure.

import { Heap } from './heap.ts';
import type { Place, TaskBrief, TaskEntry } from './task-entry.ts';

/** Tasks of one queue and type, which only workers of a kind can take, best first. */
export interface ReadyGroup {
  readonly queue: string;
  readonly type: string;
  readonly heap: Heap<Place>;
}

/** Idle places, beside twice as many as there are tasks queued, that are not worth tidying up for: each holds on to its task. */
const sparePlaces = 1024;

export class ReadyLine {
  readonly groups = new Map<string, ReadyGroup>();
  readonly #isReady: (entry: TaskEntry) => boolean;
  readonly #onLeft: (entry: TaskEntry) => void;
  /** In all heaps, idle ones included. */
  #places = 0;

  /** `onLeft` is told of a task that lost its place since it is not ready, so that whatever it waits for now is noted. */
  constructor(isReady: (entry: TaskEntry) => boolean, onLeft: (entry: TaskEntry) => void) {
    this.#isReady = isReady;
    this.#onLeft = onLeft;
  }

  get places(): number {
    return this.#places;
  }

  /** The task must be ready. Nothing where it has its place already; `queued` is how many there are at most that are ready, too. */
  enqueue(entry: TaskEntry, queued: number): void {
    const { fact } = entry;
    if (fact === null || fact === 'unread' || fact.content.kind !== 'task') return;
    const { brief } = fact.content;
    const place: Place = {
      entry,
      group: keyOf(brief),
      priority: brief.priority,
      czxid: fact.czxid,
      number: fact.number,
    };
    if (entry.place && isSame(entry.place, place)) return;
    entry.place = place;
    this.#groupOf(place.group, brief).heap.push(place);
    this.#places += 1;
    // A standby never plans, so nobody takes from its heaps what others have run meanwhile.
    if (this.#places > 2 * queued + sparePlaces) this.#tidy();
  }

  /** The best task of the group that is really ready, left in its place; null where there is none. */
  headOf(group: ReadyGroup): Place | null {
    for (let head = group.heap.peek(); head; head = group.heap.peek()) {
      if (this.#isWanted(head)) return head;
      this.takeHead(group);
      if (head.entry.place === null) this.#onLeft(head.entry);
    }
    return null;
  }

  /** How many tasks of its group go before the task; null where it has no place, or the line is longer than `scanMax`. */
  positionOf({ place }: TaskEntry, scanMax: number): number | null {
    const heap = place && this.groups.get(place.group)?.heap;
    if (!place || !heap || heap.size > scanMax) return null;
    let before = 0;
    for (const other of heap.values()) if (runsBefore(other, place) && this.#isWanted(other)) before += 1;
    return before;
  }

  takeHead(group: ReadyGroup): void {
    const head = group.heap.pop();
    if (!head) return;
    leave(head);
    this.#places -= 1;
  }

  dropEmptyGroups(): void {
    for (const [key, group] of this.groups) if (group.heap.size === 0) this.groups.delete(key);
  }

  #groupOf(key: string, { queue, type }: TaskBrief): ReadyGroup {
    let group = this.groups.get(key);
    if (!group) {
      group = { queue, type, heap: new Heap(runsBefore) };
      this.groups.set(key, group);
    }
    return group;
  }

  #isWanted(place: Place): boolean {
    return place.entry.place === place && this.#isReady(place.entry);
  }

  #tidy(): void {
    this.#places = 0;
    const left: TaskEntry[] = [];
    for (const { heap } of this.groups.values()) {
      heap.retain((place) => {
        const isWanted = this.#isWanted(place);
        if (!isWanted) left.push(place.entry);
        if (!isWanted) leave(place);
        return isWanted;
      });
      this.#places += heap.size;
    }
    this.dropEmptyGroups();
    for (const entry of left) if (entry.place === null) this.#onLeft(entry);
  }
}

/** Neither a queue nor a type has a blank in its name. */
function keyOf({ queue, type }: TaskBrief): string {
  return `${queue} ${type}`;
}

function isSame(a: Place, b: Place): boolean {
  return a.group === b.group && !runsBefore(a, b) && !runsBefore(b, a);
}

function leave(place: Place): void {
  if (place.entry.place === place) place.entry.place = null;
}

/** Higher priority first; within one, in order of creation: by transaction, then by number within it. */
export function runsBefore(a: Place, b: Place): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.czxid !== b.czxid) return a.czxid < b.czxid;
  return a.number < b.number;
}
