// An assignment as this worker last saw it, and the signals that end its run: one when it is withdrawn, taken away, or the
// worker must stop; another when the session is lost, since the first keeps its first reason and a run that is ending in
// good order has then to end at once.

import { decodeAssignment } from '../../coordination/znode-records.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { AssignmentRecord, TaskId } from '../../domain/task.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import { RunEnd } from './run-end.ts';

export class HeldAssignment {
  readonly #end = new AbortController();
  readonly #endNow = new AbortController();
  /** When this worker first saw it, by the clock of runtime/clock.ts. */
  readonly seenAt = monotonicMs();
  /** The transaction that made it; tells it from a later assignment of the same name, and fences its run. */
  readonly czxid: bigint;
  #znode: Znode;
  #record: AssignmentRecord;
  #isGone = false;

  constructor(
    readonly task: TaskId,
    znode: Znode,
  ) {
    this.czxid = znode.stat.czxid;
    this.#znode = znode;
    this.#record = decodeAssignment(znode.data);
    this.update(znode);
  }

  get record(): AssignmentRecord {
    return this.#record;
  }

  get version(): number {
    return this.#znode.stat.version;
  }

  get data(): Buffer {
    return this.#znode.data;
  }

  /** It is no longer there, so nothing may be recorded under it. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Aborts with a {@link RunEnd}. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** The session is lost, and another worker may be given the task any moment. */
  get endNow(): AbortSignal {
    return this.#endNow.signal;
  }

  /** What is there now; null, or an assignment made by another transaction, means that this one is gone. */
  update(znode: Znode | null): void {
    if (znode?.stat.czxid !== this.czxid) return this.gone();
    this.#znode = znode;
    this.#record = decodeAssignment(znode.data);
    if (this.#record.withdraw) this.stop(new RunEnd({ kind: 'withdrawn', reason: this.#record.withdraw }));
  }

  gone(): void {
    this.#isGone = true;
    this.stop(new RunEnd({ kind: 'withdrawn', reason: 'cancelled' }));
  }

  stop(reason: RunEnd): void {
    this.#end.abort(reason);
    if (reason.why.kind === 'session_lost') this.#endNow.abort(reason);
  }
}
