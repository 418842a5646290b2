// What a client does with a task that it has submitted. Everything ends when the traffic does.

import type { Random } from '../random.ts';
import type { SeenTask } from '../record.ts';
import type { Caller } from './caller.ts';
import { isFinal } from './request.ts';
import { submitUntilKnown } from './submit-until-known.ts';

export interface SequelParts {
  readonly caller: Caller;
  readonly random: Random;
  readonly id: string;
  readonly retryKey: string;
  /** No copy of its submit is still under way that would make it anew. */
  readonly mayDelete: boolean;
}

export type Sequel = keyof typeof sequels;

const weights: Readonly<Record<Sequel, number>> = {
  ...{ forget: 30, look: 10, wait: 20, watch: 12, cancel: 12, cancelFinal: 2, retry: 8, remove: 6 },
};

export function drawSequel(random: Random): Sequel {
  return random.weighted(weights);
}

export const sequels = {
  forget: async () => undefined,
  look: async (parts: SequelParts) => {
    for (let looks = parts.random.integer(1, 3); looks > 0 && !parts.caller.stopping.aborted; looks--) {
      await parts.caller.call({ operation: 'get', id: parts.id, waitMs: null }, parts.random);
      await parts.caller.rest(parts.random.integer(10, 500));
    }
  },
  wait: async (parts: SequelParts) => {
    await untilFinal(parts);
  },
  watch: async ({ caller, random, id }: SequelParts) => {
    await caller.rest(random.pick([0, 0, 50, 500]));
    await caller.watch(id, random);
  },
  /** While it waits, while it runs, or when it is just over. */
  cancel: async ({ caller, random, id }: SequelParts) => {
    await caller.rest(random.pick([0, 10, 50, 200, 1000]));
    await caller.call({ operation: 'cancel', id }, random);
    await untilFinal({ caller, random, id });
  },
  cancelFinal: async (parts: SequelParts) => {
    const { caller, random, id } = parts;
    if (await untilFinal(parts)) await caller.call({ operation: 'cancel', id }, random);
  },
  retry: async (parts: SequelParts) => {
    const { caller, random, id } = parts;
    const task = await untilFinal(parts);
    // One that has succeeded is refused; that is asked for sometimes, too.
    if (!task || (task.state === 'succeeded' && random.chance(0.8))) return;
    const key = random.chance(0.6) ? parts.retryKey : null;
    const made = await submitUntilKnown(caller, { operation: 'retry', id, key }, random);
    if (made?.tasks[0]) await untilFinal({ caller, random, id: made.tasks[0].id });
  },
  remove: async (parts: SequelParts) => {
    const { caller, random, id, mayDelete } = parts;
    if (!mayDelete) return;
    // Before its end it is refused.
    if (random.chance(0.8) && !(await untilFinal(parts))) return;
    await caller.call({ operation: 'delete', id }, random);
    if (random.chance(0.3)) await caller.call({ operation: 'get', id, waitMs: null }, random);
  },
};

const untilFinalMsMax = 30_000;

/** Null where it has not been seen final in all that time, or is gone. */
async function untilFinal({
  caller,
  random,
  id,
}: Pick<SequelParts, 'caller' | 'random' | 'id'>): Promise<SeenTask | null> {
  const until = performance.now() + untilFinalMsMax;
  for (let pause = 50; performance.now() < until && !caller.stopping.aborted; pause = Math.min(2 * pause, 1000)) {
    const outcome = await caller.call({ operation: 'get', id, waitMs: random.integer(500, 8000) }, random);
    if (outcome.is === 'no' && outcome.reason === 'task-not-found') return null;
    const [task] = outcome.is === 'yes' ? outcome.tasks : [];
    if (task && isFinal(task.state)) return task;
    if (outcome.is !== 'yes') await caller.rest(pause);
  }
  return null;
}
