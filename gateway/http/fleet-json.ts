// Workers, queues and counts in the JSON of the HTTP face: exactly the fields that the document has, whatever a master of
// another age may send.

import type { QueueView, StatsView, WorkerView } from '../../domain/master-index.ts';
import type { QueueSettings } from '../../domain/queue-settings.ts';

export function workerJson({ id, address, concurrency, types, queues, running, draining }: WorkerView): object {
  return { id, address, concurrency, types, queues, running, draining };
}

export function queueSettingsJson(name: string, settings: QueueSettings): object {
  const { paused, concurrency, ratePerSecond, burst, maxQueued } = settings;
  return { name, paused, concurrency, ratePerSecond, burst, maxQueued };
}

export function queueJson(queue: QueueView): object {
  const { scheduled, queued, running } = queue;
  return { ...queueSettingsJson(queue.name, queue), scheduled, queued, running };
}

export function statsJson({ leader, workers, slots, tasks, oldestQueuedMs }: StatsView): object {
  const { scheduled, queued, running, succeeded, failed, cancelled } = tasks;
  return {
    leader,
    workers,
    slots: { total: slots.total, free: slots.free },
    tasks: { scheduled, queued, running, succeeded, failed, cancelled },
    oldestQueuedMs,
  };
}
