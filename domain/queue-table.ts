// The settings of queues as a master knows them, and what follows from them for the planner: whether a task of the queue may
// be started now, and when that will be asked again. Standbys count the starts that they see, too, so that whoever takes
// over goes on at the same rate. Pure.

import { defaultQueueSettings, type QueueSettings } from './queue-settings.ts';
import { TokenBucket } from './token-bucket.ts';

interface SetQueue {
  readonly settings: QueueSettings;
  /** Null where there is no rate. */
  readonly bucket: TokenBucket | null;
}

export class QueueTable {
  readonly #queues = new Map<string, SetQueue>();

  /** Queues that somebody has set something of. */
  names(): IterableIterator<string> {
    return this.#queues.keys();
  }

  settingsOf(name: string, whereNone: QueueSettings = defaultQueueSettings): QueueSettings {
    return this.#queues.get(name)?.settings ?? whereNone;
  }

  /** Null: it has none any more. A bucket that is new is full. */
  set(name: string, settings: QueueSettings | null, now: number): void {
    if (!settings) {
      this.#queues.delete(name);
      return;
    }
    const { ratePerSecond, burst } = settings;
    if (ratePerSecond === null) {
      this.#queues.set(name, { settings, bucket: null });
      return;
    }
    const size = burst ?? Math.max(1, Math.ceil(ratePerSecond));
    const bucket = this.#queues.get(name)?.bucket ?? new TokenBucket(ratePerSecond, size, now);
    bucket.change(ratePerSecond, size, now);
    this.#queues.set(name, { settings, bucket });
  }

  /** Which of its settings lets no task of it be started now; null: none. `slots`: those that its tasks take up. */
  limitOf(name: string, slots: number, now: number): 'paused' | 'concurrency' | 'rate' | null {
    const queue = this.#queues.get(name);
    if (!queue) return null;
    const { paused, concurrency } = queue.settings;
    if (paused) return 'paused';
    if (concurrency !== null && slots >= concurrency) return 'concurrency';
    return queue.bucket?.hasToken(now) === false ? 'rate' : null;
  }

  /** When the rate of the queue lets one more start, if none is started before; null where it has no rate. */
  nextStartAt(name: string, now: number): number | null {
    return this.#queues.get(name)?.bucket?.nextAt(now) ?? null;
  }

  /** A task of the queue is started, by whomever. */
  noteStart(name: string, now: number): void {
    this.#queues.get(name)?.bucket?.take(now);
  }

  /** A start that was noted did not come about. */
  noteNoStart(name: string, now: number): void {
    this.#queues.get(name)?.bucket?.giveBack(now);
  }

  /** When the first of the queues that `waits` and have used up their rate may start one more; null: none does. */
  nextTokenAt(waits: (name: string) => boolean, now: number): number | null {
    let next: number | null = null;
    for (const [name, { settings, bucket }] of this.#queues) {
      if (!bucket || settings.paused || bucket.hasToken(now) || !waits(name)) continue;
      next = Math.min(next ?? Infinity, bucket.nextAt(now));
    }
    return next;
  }
}
