// The slots of a worker: what it is assigned, what of that runs, and what waits for a slot (more than there are slots comes
// only from people). An assignment is known here for as long as the tree shows it, also after its run: one that could not
// be ended is never run a second time.

import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { TaskId } from '../../domain/task.ts';
import { HeldAssignment } from './held-assignment.ts';
import type { RunEndCause } from './run-end.ts';

export interface SlotsOptions {
  readonly concurrency: number;
  /** Settles when nothing of the run goes on. */
  readonly run: (held: HeldAssignment) => Promise<void>;
  readonly onRunning: (count: number) => void;
}

export class Slots {
  readonly #options: SlotsOptions;
  readonly #held = new Map<TaskId, HeldAssignment>();
  readonly #waiting = new Set<HeldAssignment>();
  readonly #running = new Map<HeldAssignment, Promise<void>>();
  /** `closed`: nothing begins. `returning`: what has not begun, and what still comes, is handed back without having run. */
  #mode: 'open' | 'closed' | 'returning' = 'open';

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  knows(task: TaskId): boolean {
    return this.#held.has(task);
  }

  /** It is still to be ended here: it runs, or it waits. */
  isUnderWay(task: TaskId): boolean {
    const held = this.#held.get(task);
    return held !== undefined && (this.#waiting.has(held) || this.#running.has(held));
  }

  /** Takes an assignment up, or learns what has become of it. */
  put(task: TaskId, znode: Znode): void {
    const known = this.#held.get(task);
    if (known?.czxid === znode.stat.czxid) return known.update(znode);
    this.remove(task);
    const held = new HeldAssignment(task, znode);
    if (this.#mode === 'returning') held.stop({ kind: 'shutdown' });
    this.#held.set(task, held);
    this.#waiting.add(held);
    this.#fill();
  }

  /** The tree does not show it any more. */
  remove(task: TaskId): void {
    const held = this.#held.get(task);
    if (!held) return;
    held.gone();
    this.#held.delete(task);
    this.#waiting.delete(held);
  }

  close(): void {
    this.#mode = 'closed';
  }

  returnWaiting(): void {
    this.#mode = 'returning';
    for (const held of this.#waiting) held.stop({ kind: 'shutdown' });
    this.#fill();
  }

  stopRunning(why: RunEndCause): void {
    for (const held of this.#running.keys()) held.stop(why);
  }

  /** The session is lost: nothing here is ours any more. */
  drop(): void {
    this.#mode = 'closed';
    this.#waiting.clear();
    this.stopRunning({ kind: 'session_lost' });
  }

  /** Resolves when nothing runs. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #fill(): void {
    for (const held of this.#waiting) {
      const isFree = this.#mode === 'returning' || this.#running.size < this.#options.concurrency;
      if (this.#mode === 'closed' || !isFree) break;
      this.#waiting.delete(held);
      this.#start(held);
    }
    this.#options.onRunning(this.#running.size);
  }

  #start(held: HeldAssignment): void {
    const run = this.#options.run(held).finally(() => {
      this.#running.delete(held);
      this.#fill();
    });
    this.#running.set(held, run);
  }
}
