// What the traffic sets up for itself: queues with a line, a schedule. Set while it goes on, through whatever is broken; lifted at its end, so that
// everything that waits can come to its own.

import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Caller } from './caller.ts';
import { lineQueues } from './line-queues.ts';
import type { OtherRequest } from './request.ts';

const schedule = 'every-second';
const definition = { everyMs: 1000, task: { type: 'quick' }, overlap: 'allow', catchUp: 3 };
const pauseMs = 200;

export async function putSettings(caller: Caller, random: Random): Promise<void> {
  const queues = lineQueues.map(({ name, ...settings }) => putQueue(name, settings));
  const put = [...queues, { operation: 'other', what: 'put-schedule', name: schedule, definition } as const];
  await Promise.all(put.map((request) => untilDone(caller, request, random.fork(request.name), caller.stopping)));
}

/** Throws where `signal` aborts before. */
export async function liftSettings(caller: Caller, random: Random, signal: AbortSignal): Promise<void> {
  const lifts = lineQueues.map(({ name }) => putQueue(name, { concurrency: null, maxQueued: null }));
  const all = [...lifts, { operation: 'other', what: 'delete-schedule', name: schedule } as const];
  await Promise.all(all.map((request) => untilDone(caller, request, random.fork(`lift ${request.name}`), signal)));
}

function putQueue(name: string, settings: object): OtherRequest & { name: string } {
  return { operation: 'other', what: 'put-queue', name, settings };
}

/** All of them say the same when they are repeated. */
async function untilDone(caller: Caller, request: OtherRequest, random: Random, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const outcome = await caller.call(request, random);
    if (outcome.is === 'yes' || (outcome.is === 'no' && outcome.reason === 'schedule-not-found')) return;
    await delay(pauseMs);
  }
}
