// What an operator may set of a queue: stop it, and bound what it runs and holds. Kept in `/queues/<name>`; a queue that
// nobody has set anything of has no znode. Pure.

export interface QueueSettings {
  /** True: nothing of the queue is given to workers; what runs goes on. */
  readonly paused: boolean;
  /** Tasks of the queue that run at a time, over the whole system; null: as many as there are slots. */
  readonly concurrency: number | null;
  /** Tasks of the queue that are started in a second, on average; null: no limit. */
  readonly ratePerSecond: number | null;
  /** Tasks that may be started at once after a pause; null: as many as a second has, one at least. */
  readonly burst: number | null;
  /** Submits are refused while so many tasks of the queue wait (scheduled and queued); null: no limit of its own. */
  readonly maxQueued: number | null;
}

export const defaultQueueSettings: QueueSettings = {
  paused: false,
  concurrency: null,
  ratePerSecond: null,
  burst: null,
  maxQueued: null,
};

/** Of a queue whose settings cannot be read and never were: what they were to hold back is not known, so it starts nothing. */
export const unreadableQueueSettings: QueueSettings = { ...defaultQueueSettings, paused: true };

/** True where there is nothing to keep. */
export function isDefault(settings: QueueSettings): boolean {
  return Object.entries(defaultQueueSettings).every(([name, value]) => settings[name as keyof QueueSettings] === value);
}
