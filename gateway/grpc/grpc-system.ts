// Workers, queues, counts and events in the protobuf of the gRPC face: the same fields as in JSON.

import type { QueueView, StatsView, TaskEvent, WorkerView } from '../../domain/master-index.ts';
import type { QueueSettings } from '../../domain/queue-settings.ts';
import { stateName } from './grpc-task.ts';
import { timestampOf } from './proto-time.ts';

const int32Max = 2 ** 31 - 1;

export function workerMessage({ types, queues, ...worker }: WorkerView): object {
  return {
    id: worker.id,
    address: worker.address,
    // What a worker that is not ours says of itself need not fit.
    concurrency: Math.min(worker.concurrency, int32Max),
    types: types ?? [],
    every_type: types === null,
    running: worker.running,
    draining: worker.draining,
    queues: queues ?? [],
    every_queue: queues === null,
  };
}

export function queueMessage({ name, scheduled, queued, running, ...settings }: QueueView): object {
  return { name, settings: queueSettingsMessage(settings), scheduled, queued, running };
}

/** A limit that does not exist is null, which is unset. */
export function queueSettingsMessage(settings: QueueSettings): object {
  return {
    paused: settings.paused,
    concurrency: settings.concurrency,
    rate_per_second: settings.ratePerSecond,
    burst: settings.burst,
    max_queued: settings.maxQueued,
  };
}

export function statsMessage({ leader, workers, slots, tasks, oldestQueuedMs }: StatsView): object {
  return {
    leader,
    workers,
    slots: { total: Math.min(slots.total, int32Max), free: Math.min(slots.free, int32Max) },
    tasks,
    oldest_queued_ms: oldestQueuedMs,
  };
}

export function eventMessage({ state, at, ...event }: TaskEvent): object {
  return { ...event, state: stateName(state), at: timestampOf(at) };
}
