// The end of the traffic: what it has set up is lifted, and then every task is waited for, through what is left of the faults.

import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { SeenTask } from '../record.ts';
import type { Caller } from './caller.ts';
import type { KnownTasks } from './known-tasks.ts';
import { liftSettings } from './settings.ts';
import { within } from './within.ts';

export interface DrainedTask {
  readonly id: string;
  /** As it was last listed; null where it was not, though nobody has seen it final. */
  readonly state: string | null;
}

const lanesMax = 8;
const waitMs = 2000;
const pauseMs = 100;
const unfinishedStates = ['scheduled', 'queued', 'running'] as const;

/** Resolves when no task is unfinished, or when the time is up: with those that are. */
export function drain(
  caller: Caller,
  known: KnownTasks,
  random: Random,
  timeoutMs: number,
): Promise<readonly DrainedTask[]> {
  return within(timeoutMs, caller.over, async (signal) => {
    setMaxListeners(0, signal);
    await liftSettings(caller, random, signal);
    for (;;) {
      const listed = await listUnfinished(caller, random, signal);
      const states = new Map((listed ?? []).map(({ id, state }) => [id, state]));
      const ids = new Set([...known.open, ...states.keys()]);
      if (signal.aborted || (listed && ids.size === 0)) {
        return [...ids].map((id) => ({ id, state: states.get(id) ?? null }));
      }
      await waitForEach([...ids], caller, random, signal);
    }
  });
}

/** Those of submits whose outcome stayed unknown, and of schedules, too. Null where not all could be listed. */
async function listUnfinished(caller: Caller, random: Random, signal: AbortSignal): Promise<SeenTask[] | null> {
  const list = async (state: string) => {
    const request = { operation: 'other', what: 'list', query: { state, limit: 500 } } as const;
    const { reply } = await caller.ask(request, random.fork(state), signal);
    return reply.kind === 'answer' ? reply.tasks : null;
  };
  const lists = await Promise.all(unfinishedStates.map(list));
  return lists.includes(null) ? null : lists.flatMap((tasks) => tasks ?? []);
}

/** Once, or less where the time is up. */
async function waitForEach(ids: string[], caller: Caller, random: Random, signal: AbortSignal): Promise<void> {
  const lane = async (_: unknown, n: number) => {
    const its = random.fork(`lane ${n}`);
    for (let id = ids.pop(); id !== undefined && !signal.aborted; id = ids.pop()) {
      const { outcome } = await caller.ask({ operation: 'get', id, waitMs }, its, signal);
      if (outcome.is !== 'yes') await delay(pauseMs);
      // It is not for its time that it has waited so long, but for a retry of another one that nobody makes any more.
      else if (outcome.tasks[0]?.state === 'scheduled') await caller.call({ operation: 'cancel', id }, its);
    }
  };
  await Promise.all(Array.from({ length: lanesMax }, lane));
}
