// BullMQ on Redis, used as its documentation says: one queue, `addBulk` for many, `waitUntilFinished` over one QueueEvents for
// whoever waits. Results stay in Redis, as ours do in ZooKeeper.

import { Job, Queue, QueueEvents, Worker } from 'bullmq';

const name = 'peers';
const connectionTo = (port) => ({ host: '127.0.0.1', port, maxRetriesPerRequest: null });

export async function openQueue(port) {
  const queue = new Queue(name, { connection: connectionTo(port) });
  const events = new QueueEvents(name, { connection: connectionTo(port) });
  for (const emitter of [queue, events]) emitter.setMaxListeners(0);
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  return {
    submit: async (payload) => (await queue.add('echo', payload)).id,
    submitMany: async (payloads) => {
      const jobs = await queue.addBulk(payloads.map((data) => ({ name: 'echo', data })));
      return jobs.map(({ id }) => id);
    },
    result: async (id, waitMs) => {
      const job = await Job.fromId(queue, id);
      const result = job.finishedOn ? job.returnvalue : await job.waitUntilFinished(events, waitMs);
      return { state: 'succeeded', result };
    },
    countSucceeded: () => queue.getCompletedCount(),
  };
}

export async function startWorker(port, concurrency) {
  const worker = new Worker(name, async ({ data }) => data, { connection: connectionTo(port), concurrency });
  await worker.waitUntilReady();
}
