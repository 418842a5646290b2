// What the gateway asks the leading master for: everything that is about many tasks, and what holds one of them. Without a
// master of ours that leads and answers, each of these throws 'no-leader'.

import type { TaskExplanation } from '../../domain/explanation.ts';
import type {
  EventLine,
  IndexedTasks,
  ListPosition,
  QueueView,
  StatsView,
  TaskFilter,
  WorkerView,
} from '../../domain/master-index.ts';
import type { TaskId } from '../../domain/task.ts';

/** Who leads, as far as this gateway knows; times in epoch ms. */
export type KnownLeader =
  /** `host:port` of its admin endpoint. `silentSince`: when it first failed to answer this gateway; null where it answered last. */
  | { readonly kind: 'ours'; readonly address: string; readonly silentSince: number | null }
  /** `/master` is there, made by hand or by another program. */
  | { readonly kind: 'stranger'; readonly since: number }
  /** `since`: when this gateway found that out. */
  | { readonly kind: 'nobody'; readonly since: number }
  /** It has no session with the ensemble. */
  | { readonly kind: 'unknown' };

export interface MasterIndex {
  /** Tasks that fit `filter`, newest first, older than `after`; at most `limit` ids. */
  tasks(filter: TaskFilter, limit: number, after: ListPosition | null): Promise<IndexedTasks>;
  workers(): Promise<readonly WorkerView[]>;
  queues(): Promise<readonly QueueView[]>;
  stats(): Promise<StatsView>;
  /** Why the task is where it is. One that the master does not know (yet) is explained as that. */
  explain(id: TaskId): Promise<TaskExplanation>;
  /** Known without asking anybody, so it throws nothing. */
  leader(): KnownLeader;
  /**
   * State changes as they happen, after event `after` or from now on; the first line is a start. It ends with the master, or
   * when it has been silent for too long, and throws 'no-leader' then; with `signal` it ends quietly.
   */
  events(after: string | null, signal: AbortSignal): AsyncIterable<EventLine>;
}
