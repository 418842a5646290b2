// Reads of the tasks that are to run. One is asked for when its assignment appears, in the same turn as the data of that, so
// that both travel together and a run begins one round trip earlier than if it looked at its task only then.
//
// Such a read is as good as one after the assignment's: it is asked for when the assignment is there already, it is dropped
// when that goes or another one comes in its place, and its outcome checks the version of the task that was read. What an
// interrupted link may not have told of is not relied on either.

import type { Session } from '../../coordination/session.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { TaskId } from '../../domain/task.ts';

type Read = Promise<Znode | null>;

export class TaskReads {
  readonly #session: Pick<Session, 'getData'>;
  readonly #aheadMax: number;
  readonly #ahead = new Map<TaskId, Read>();

  /** `aheadMax` bounds the memory: more than there are slots is never run at once. */
  constructor(session: Pick<Session, 'getData'>, aheadMax: number) {
    this.#session = session;
    this.#aheadMax = aheadMax;
  }

  /** Its assignment has appeared. */
  begin(task: TaskId): void {
    this.forget(task);
    if (this.#ahead.size >= this.#aheadMax) return;
    const read = this.#ask(task);
    read.catch(() => undefined); // whoever asks for it hears of that
    this.#ahead.set(task, read);
  }

  /** Null where there is no such task. What was read ahead is good for one run, and for one answer. */
  read(task: TaskId): Read {
    const read = this.#ahead.get(task) ?? this.#ask(task);
    this.forget(task);
    return read;
  }

  /** There is no such assignment any more, or nothing that begins now. */
  forget(task: TaskId): void {
    this.#ahead.delete(task);
  }

  forgetAll(): void {
    this.#ahead.clear();
  }

  #ask(task: TaskId): Read {
    return this.#session.getData(paths.task(task));
  }
}
