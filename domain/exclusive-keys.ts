// Who of the tasks with one exclusive key has its turn: the first in the order of creation that is unfinished, when no task
// of the key is assigned or about to be. An assignment takes the key whatever has become of its task, so a task that was ended
// or deleted under its run has it until the run is over. What steps aside (precedence.ts) stands in no line. Pure.

import { CreationOrder } from './creation-order.ts';
import { stepsAside } from './dependencies.ts';
import type { TaskId } from './task.ts';
import { briefOf, type KeyPlace, type TaskEntry } from './task-entry.ts';

interface KeyLine {
  /** Unfinished ones, also those that run. */
  readonly waiting: CreationOrder<KeyPlace>;
  /** Those that are assigned or about to be; several only where a person has assigned them. */
  readonly holders: Set<TaskEntry>;
}

export class ExclusiveKeys {
  readonly #lines = new Map<string, KeyLine>();
  readonly #lookAgain: (entry: TaskEntry) => void;

  constructor(lookAgain: (entry: TaskEntry) => void) {
    this.#lookAgain = lookAgain;
  }

  /** Keys that a task has or waits for. */
  get size(): number {
    return this.#lines.size;
  }

  /** To be called after each change of the entry. */
  update(entry: TaskEntry): void {
    const last = entry.keyPlace;
    const next = placeOf(entry);
    if (isSame(last, next)) return;
    entry.keyPlace = next;
    if (last && last.key !== next?.key) this.#change(last.key, (line) => leave(line, last));
    if (next)
      this.#change(next.key, (line) => {
        if (last?.key === next.key) leave(line, last);
        enter(line, next);
      });
  }

  /** Its key is free and it is the first to have it, as far as what has been read can tell. */
  hasTurn({ keyPlace }: TaskEntry): boolean {
    const line = keyPlace && this.#lines.get(keyPlace.key);
    return line ? turnOf(line) === keyPlace : false;
  }

  /** The task that holds up its line: the one that has its key, else the first in line; null where that is itself, or nobody. */
  holdUpOf({ keyPlace }: TaskEntry): TaskId | null {
    const line = keyPlace && this.#lines.get(keyPlace.key);
    if (!line) return null;
    for (const holder of line.holders) if (holder !== keyPlace.entry) return holder.id;
    const first = keyPlace.position && line.waiting.first();
    return first && first !== keyPlace ? first.id : null;
  }

  /** How many tasks are before it in the line of its key, one that runs among them; null where it stands in none. */
  positionOf({ keyPlace }: TaskEntry): number | null {
    const line = keyPlace?.position && this.#lines.get(keyPlace.key);
    return line ? line.waiting.countBefore(keyPlace.position) : null;
  }

  #change(key: string, change: (line: KeyLine) => void): void {
    const line = this.#lines.get(key) ?? { waiting: new CreationOrder(), holders: new Set() };
    const before = turnOf(line);
    change(line);
    const turn = turnOf(line);
    if (line.waiting.size + line.holders.size > 0) this.#lines.set(key, line);
    else this.#lines.delete(key);
    if (turn && turn !== before) this.#lookAgain(turn.entry);
  }
}

function turnOf({ waiting, holders }: KeyLine): KeyPlace | null {
  return holders.size > 0 ? null : waiting.first();
}

function enter({ waiting, holders }: KeyLine, place: KeyPlace): void {
  if (place.position) waiting.add(place);
  if (place.holds) holders.add(place.entry);
}

function leave({ waiting, holders }: KeyLine, place: KeyPlace): void {
  if (place.position) waiting.delete(place);
  holders.delete(place.entry);
}

/** Null: it neither has a key nor waits for one. */
function placeOf(entry: TaskEntry): KeyPlace | null {
  const { id, exclusiveKey: key, assignments, assigning } = entry;
  if (key === null) return null;
  const position = positionOf(entry);
  const holds = assignments.size > 0 || assigning !== null;
  return position || holds ? { entry, id, key, position, holds } : null;
}

function positionOf(entry: TaskEntry): KeyPlace['position'] {
  const { position, status } = entry;
  if (!position || !briefOf(entry) || status !== null || stepsAside(entry)) return null;
  return { czxid: position.czxid, number: position.number };
}

function isSame(a: KeyPlace | null, b: KeyPlace | null): boolean {
  if (!a || !b) return a === b;
  const isThere = a.position?.czxid === b.position?.czxid && a.position?.number === b.position?.number;
  return isThere && a.key === b.key && a.holds === b.holds;
}
