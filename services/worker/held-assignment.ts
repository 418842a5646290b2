// An assignment as this worker last saw it, and what ends its run: that it is withdrawn or taken away, that a newer version of us
// wrote it (what it then says may be that), that the worker must stop, or that its session is lost.

import { isNewer } from '../../coordination/record-json.ts';
import { decodeAssignment } from '../../coordination/znode-records.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { AssignmentRecord, TaskId } from '../../domain/task.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import type { RunEndCause } from './run-end.ts';
import { RunStop } from './run-stop.ts';

const emptyRecord: AssignmentRecord = decodeAssignment(Buffer.alloc(0));

export class HeldAssignment {
  readonly runStop = new RunStop();
  /** When this worker first saw it, by the clock of runtime/clock.ts. */
  readonly seenAt = monotonicMs();
  /** The transaction that made it; tells it from a later assignment of the same name, and fences its run. */
  readonly czxid: bigint;
  #znode: Znode;
  #record = emptyRecord;
  #isGone = false;

  constructor(
    readonly task: TaskId,
    znode: Znode,
  ) {
    this.czxid = znode.stat.czxid;
    this.#znode = znode;
    this.#read(znode);
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

  /** What is there now is for a newer version of us; `record` is what it was before, and no outcome may be decided from that. */
  get isNewer(): boolean {
    return isNewer(this.#znode.data);
  }

  /** It is no longer there, so nothing may be recorded under it. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** What is there now; null, or an assignment made by another transaction, means that this one is gone. */
  update(znode: Znode | null): void {
    if (znode?.stat.czxid !== this.czxid) return this.gone();
    this.#znode = znode;
    this.#read(znode);
  }

  gone(): void {
    this.#isGone = true;
    this.stop({ kind: 'withdrawn', reason: 'cancelled' });
  }

  stop(why: RunEndCause): void {
    this.runStop.stop(why);
  }

  #read({ data }: Znode): void {
    if (isNewer(data)) return this.stop({ kind: 'unreadable' });
    this.#record = decodeAssignment(data);
    const { withdraw } = this.#record;
    if (withdraw) this.stop({ kind: 'withdrawn', reason: withdraw });
  }
}
