// One client with one thing to do: it submits something, or asks around, and then does with its task what clients do. What it draws comes
// from its own fork of chance; it begins some time after the one before has begun, not when that is over.

import type { Random } from '../random.ts';
import type { Caller } from './caller.ts';
import { drawSubmit } from './drawn-submits.ts';
import type { KnownTasks } from './known-tasks.ts';
import { lineQueues } from './line-queues.ts';
import type { OtherRequest } from './request.ts';
import { drawSequel, sequels } from './sequels.ts';
import { submitTwice, submitUntilKnown } from './submit-until-known.ts';

export interface StoryParts {
  /** Unique in the run. */
  readonly name: string;
  readonly random: Random;
  readonly caller: Caller;
  readonly known: KnownTasks;
  /** The file that commands write to. */
  readonly evidence: string;
}

export async function tellStory({ name, random, caller, known, evidence }: StoryParts): Promise<void> {
  const recent = known.pickRecent(random.fork('recent'));
  if (random.chance(0.07)) {
    await caller.call(drawOther(random, recent), random);
    return;
  }
  const request = drawSubmit({ name, random, evidence, recent });
  const sequel = drawSequel(random);
  const isTwice = request.key !== null && random.chance(0.1);
  const made = await (isTwice ? submitTwice : submitUntilKnown)(caller, request, random);
  if (made === null) return;
  const { id } = random.pick(made.tasks);
  await sequels[sequel]({ caller, random, id, retryKey: `retry of ${name}`, mayDelete: made.isSentOnce });
}

function drawOther(random: Random, recent: string | null): OtherRequest {
  const operation = 'other';
  const what = random.pick(['explain', 'list', 'list', 'stats', 'workers', 'queues', 'schedules'] as const);
  if (what === 'explain') return recent === null ? { operation, what: 'stats' } : { operation, what, id: recent };
  if (what !== 'list') return { operation, what };
  const state = random.pick(['scheduled', 'queued', 'running', 'succeeded', 'failed', 'cancelled']);
  const queue = random.pick(['default', ...lineQueues.map(({ name }) => name)]);
  const limit = random.integer(1, 50);
  return { operation, what, query: random.chance(0.5) ? { state, limit } : { queue, limit } };
}
