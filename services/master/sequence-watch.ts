// Where the sequence of `/tasks` stands, for schedules, for `/backlog` and for those who watch that it does not come to its end.
// Each creation moves it on by one, so where a task is created with the very number that comes next, it is known without a look.
// Else names do not tell, since people name tasks as they like: such a name only makes this look at the parent, one look at a
// time. What was removed and made again by hand counts from 0 again.

import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { Session } from '../../coordination/session.ts';
import { nextSequenceNumber } from '../../coordination/task-sequence.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';

export class SequenceWatch {
  readonly #session: Session;
  readonly #onNext: (next: number) => void;
  /** Numbers of tasks of which nothing but the name is known. */
  readonly #unread = new Set<number>();
  #next = 0;
  #looking: Promise<void> | null = null;
  /** The highest number that came up during a look, which may be older. */
  #news = -1;

  /** `onNext` is told whenever it stands elsewhere. */
  constructor(session: Session, onNext: (next: number) => void) {
    this.#session = session;
    this.#onNext = onNext;
  }

  /** No task that is created from now on has a lower number, unless somebody gives it that. */
  get next(): number {
    return this.#next;
  }

  /** Of each task with a lower number the data has been read, as far as it may be. */
  get readUntil(): number {
    let lowest = this.#next;
    for (const number of this.#unread) lowest = Math.min(lowest, number);
    return lowest;
  }

  /** Resolves when it stands at or after all tasks that were known at the call: a look under way may be older than some. */
  async settled(): Promise<void> {
    await this.#looking;
    await this.#looking;
  }

  /** `/tasks` itself; null while it is not read, undefined where it is gone. */
  onRoot(znode: Znode | null | undefined): void {
    if (znode !== null) this.#set(znode ? nextSequenceNumber(znode.stat) : 0);
  }

  /**
   * A task is there, read or not, or it is gone. `created`: it was not there when `/tasks` was last looked at, and is unread; what
   * was there then has been counted, whatever number its name has.
   */
  onTask(number: number, is: 'created' | 'unread' | 'read' | 'gone'): void {
    if (is === 'created' || is === 'unread') this.#unread.add(number);
    else this.#unread.delete(number);
    if (is === 'gone' || number < this.#next) return;
    if (this.#looking !== null) this.#news = Math.max(this.#news, number);
    else if (is === 'created' && number === this.#next) this.#set(number + 1);
    else this.#look();
  }

  #look(): void {
    this.#news = -1;
    this.#looking = this.#readRoot().finally(() => {
      this.#looking = null;
      if (this.#news >= this.#next) this.#look();
    });
  }

  async #readRoot(): Promise<void> {
    try {
      const stat = await this.#session.exists(paths.tasks);
      this.#set(stat ? nextSequenceNumber(stat) : 0);
    } catch (error) {
      if (!(error instanceof CoordinationError)) throw error; // else the link is gone, and with the next one all is read anew
    }
  }

  #set(next: number): void {
    if (next === this.#next) return;
    this.#next = next;
    this.#onNext(next);
  }
}
