// What the gateway asks the leading master for: everything that is about many tasks. Without a master of ours that leads
// and answers, each of these throws 'no-leader'.

import type {
  EventLine,
  IndexedTasks,
  ListPosition,
  QueueView,
  StatsView,
  TaskFilter,
  WorkerView,
} from '../../domain/master-index.ts';

export interface MasterIndex {
  /** Tasks that fit `filter`, newest first, older than `after`; at most `limit` ids. */
  tasks(filter: TaskFilter, limit: number, after: ListPosition | null): Promise<IndexedTasks>;
  workers(): Promise<readonly WorkerView[]>;
  queues(): Promise<readonly QueueView[]>;
  stats(): Promise<StatsView>;
  /**
   * State changes as they happen, after event `after` or from now on; the first line is a start. It ends with the master, or
   * when it has been silent for too long, and throws 'no-leader' then; with `signal` it ends quietly.
   */
  events(after: string | null, signal: AbortSignal): AsyncIterable<EventLine>;
}
