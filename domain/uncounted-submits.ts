// A gateway's own submits that the leading master has not counted yet. The master says below which number it has counted
// every task; while none leads nothing is counted, and everything stays here, so that a limit holds all the same. Pure.

/** A task is not taken to be uncounted for more counts than this: `/tasks` may have been made anew, with lower numbers. */
const countsMax = 10;

export class UncountedSubmits {
  #underWay = 0;
  /** The last count has every task with a lower number; no count may come after it, where nothing happens any more. */
  #next = 0;
  #made: { readonly number: number; counts: number }[] = [];

  get size(): number {
    return this.#underWay + this.#made.length;
  }

  /** Before the commit, so that submits at the same time know of each other. */
  begin(tasks: number): void {
    this.#underWay += tasks;
  }

  /** Of what was begun these were made; the rest was not. The answer may have come late, and they may be counted already. */
  end(tasks: number, made: readonly number[]): void {
    this.#underWay -= tasks;
    for (const number of made) if (number >= this.#next) this.#made.push({ number, counts: 0 });
  }

  /** A count has arrived that has every task with a number below `next`. */
  counted(next: number): void {
    if (Number.isFinite(next)) this.#next = next;
    this.#made = this.#made.filter((task) => {
      task.counts += 1;
      return task.number >= next && task.counts <= countsMax;
    });
  }
}
