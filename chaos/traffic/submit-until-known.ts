// A submit, or a retry, until it is known what became of it. One with a key is repeated, the same at whatever gateway and over
// whatever interface, until an answer says what it has made. One without a key is sent once: nobody could tell a second task from the first.

import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { CallOutcome, SeenTask } from '../record.ts';
import type { Caller } from './caller.ts';
import type { SubmitRequest, TrafficRequest } from './request.ts';

type Making = SubmitRequest | Extract<TrafficRequest, { operation: 'retry' }>;

export interface Made {
  readonly tasks: readonly SeenTask[];
  /**
   * It was sent once, so nothing of it is still on its way. A copy of a keyed submit that comes late finds its key, but only as long
   * as the task is kept.
   */
  readonly isSentOnce: boolean;
}

const pauseMs = { first: 100, most: 1000 };
const giveUpMs = 60_000;

/** Null: it was refused, or cannot be known. */
export async function submitUntilKnown(caller: Caller, request: Making, random: Random): Promise<Made | null> {
  const first = await caller.call(request, random);
  if (first.is === 'yes') return { tasks: first.tasks, isSentOnce: true };
  if (first.is === 'no' || request.key === null) return null;
  const tasks = await repeated(caller, { ...request, ...('waitMs' in request && { waitMs: null }) }, random);
  return tasks && { tasks, isSentOnce: false };
}

/** The same key twice at the same time. */
export async function submitTwice(caller: Caller, request: Making, random: Random): Promise<Made | null> {
  const both = ['one', 'other'].map((name) => submitUntilKnown(caller, request, random.fork(name)));
  const made = (await Promise.all(both)).find((its) => its !== null);
  return made ? { ...made, isSentOnce: false } : null;
}

/** A refusal does not say what became of the call before: it goes on until there is a yes. */
async function repeated(caller: Caller, request: Making, random: Random): Promise<readonly SeenTask[] | null> {
  const until = performance.now() + giveUpMs;
  for (let pause = pauseMs.first; performance.now() < until; pause = Math.min(2 * pause, pauseMs.most)) {
    if (caller.over.aborted) return null;
    await delay(pause);
    const outcome: CallOutcome = await caller.call(request, random);
    if (outcome.is === 'yes') return outcome.tasks;
  }
  return null;
}
