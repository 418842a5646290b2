// What the leading master tells the gateways of the backlog, so that they refuse what is too much: bounded, since it is one
// znode, however many queues there are. Pure.

import { Heap } from './heap.ts';
import { limits } from './limits.ts';
import type { QueueTable } from './queue-table.ts';
import type { QueueCounts, TaskCounts } from './task-counts.ts';

export interface BacklogCounts {
  /** Tasks that are not final. */
  readonly unfinished: number;
  /** The same by queue: those that have a `maxQueued`, and of the others the largest. */
  readonly queues: Readonly<Record<string, number>>;
  /** Tasks that wait (scheduled and queued), of each queue that has a `maxQueued`. */
  readonly waiting: Readonly<Record<string, number>>;
}

export function backlogOf(
  counts: TaskCounts,
  queues: QueueTable,
  queuesMax: number = limits.backlogQueuesMax,
): BacklogCounts {
  const limited: string[] = [];
  for (const name of queues.names()) {
    if (limited.length < queuesMax && queues.settingsOf(name).maxQueued !== null) limited.push(name);
  }
  const named = [...limited, ...largest(counts, new Set(limited), queuesMax - limited.length)];
  const of = (name: string, count: (counts: QueueCounts) => number): [string, number] => {
    const known = counts.queues.get(name);
    return [name, known ? count(known) : 0];
  };
  return {
    unfinished: counts.unfinished,
    queues: Object.fromEntries(named.map((name) => of(name, unfinishedOf)).filter(([, count]) => count > 0)),
    waiting: Object.fromEntries(limited.map((name) => of(name, ({ scheduled, queued }) => scheduled + queued))),
  };
}

function unfinishedOf({ scheduled, queued, running }: QueueCounts): number {
  return scheduled + queued + running;
}

/** Names of at most `max` queues with the most unfinished tasks, without sorting all there are. */
function largest({ queues }: TaskCounts, without: ReadonlySet<string>, max: number): string[] {
  const smallestFirst = new Heap<{ name: string; count: number }>((a, b) => a.count < b.count);
  for (const [name, counts] of queues) {
    const count = unfinishedOf(counts);
    if (count === 0 || without.has(name)) continue;
    if (smallestFirst.size >= max && count <= (smallestFirst.peek()?.count ?? Infinity)) continue;
    smallestFirst.push({ name, count });
    if (smallestFirst.size > max) smallestFirst.pop();
  }
  const names: string[] = [];
  for (let least = smallestFirst.pop(); least; least = smallestFirst.pop()) names.unshift(least.name);
  return names;
}
