// Which process lived when under which id, from the events of the record. Pure.

import type { Moment, ProcessEvent } from '../record.ts';
import { addTo } from './group-by.ts';

/** One life of a process. */
export interface Life {
  readonly id: string;
  readonly role: ProcessEvent['role'];
  readonly pid: number;
  /** -Infinity where the record begins later. */
  readonly from: Moment;
  /** Null: it lives to the end of the record. */
  exit: ProcessEvent | null;
}

export class Processes {
  /** Ends of processes whose beginning is not in the record. */
  readonly orphanedExits: ProcessEvent[] = [];
  readonly #byPid = new Map<number, Life[]>();
  readonly #byId = new Map<string, Life[]>();

  constructor(events: readonly ProcessEvent[]) {
    for (const event of [...events].sort((a, b) => a.at - b.at)) {
      if (event.event === 'started') this.#begin(event);
      else this.#end(event);
    }
  }

  get ids(): string[] {
    return [...this.#byId.keys()];
  }

  /** In their order. */
  livesOf(id: string): readonly Life[] {
    return this.#byId.get(id) ?? [];
  }

  idsOf(role: Life['role']): string[] {
    return this.ids.filter((id) => this.roleOf(id) === role);
  }

  roleOf(id: string): Life['role'] | null {
    return this.livesOf(id)[0]?.role ?? null;
  }

  /** The life of this number that had begun by `at`; numbers are given again in long runs. */
  lifeAt(pid: number, at: Moment): Life | null {
    return this.#byPid.get(pid)?.findLast(({ from }) => from <= at) ?? null;
  }

  #begin({ id, role, pid, at }: ProcessEvent): void {
    const life: Life = { id, role, pid, from: at, exit: null };
    addTo(this.#byPid, pid, life);
    addTo(this.#byId, id, life);
  }

  #end(event: ProcessEvent): void {
    const life = this.#byPid.get(event.pid)?.findLast(({ id, exit }) => id === event.id && exit === null);
    if (life) life.exit = event;
    else this.orphanedExits.push(event);
  }
}
