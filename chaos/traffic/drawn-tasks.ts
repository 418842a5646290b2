// The tasks that the traffic submits, drawn at random: of every kind that a promise speaks of, and short, so that many come and go in
// a minute. Pure.

import type { EvidencePayloads, EvidenceType } from '../evidence/evidence-handler.ts';
import { shellCommand } from '../evidence/shell-evidence.ts';
import type { Random } from '../random.ts';
import { type LineQueue, lineQueues } from './line-queues.ts';
import type { TrafficTask } from './request.ts';

type Kind = keyof typeof kinds;
type Spec = Omit<TrafficTask, 'marker'>;

/** How often each comes. */
const weights: Readonly<Record<Kind, number>> = {
  ...{ quick: 30, long: 12, flaky: 12, exclusive: 8, inLine: 6, delayed: 8, deadline: 6, timeout: 5 },
  ...{ crashing: 4, shell: 3, big: 2, deaf: 1, blocking: 1 },
};

const kinds = {
  quick: () => of('quick', null),
  long: (random: Random) => of('long', { ms: random.integer(20, 1500), progress: random.chance(0.2) }),
  flaky: (random: Random) => ({ ...failing(random), ...of('flaky', flakiness(random)) }),
  /** Few keys, so that there are lines; short, so that they come to an end. */
  exclusive: (random: Random) => {
    const exclusiveKey = `key-${random.integer(1, 3)}`;
    if (random.chance(0.2)) {
      return { exclusiveKey, ...failing(random), maxAttempts: 2, ...of('flaky', { succeedsAt: random.integer(1, 3) }) };
    }
    return { exclusiveKey, ...of('long', { ms: random.integer(1, 60) }) };
  },
  inLine: (random: Random) => inLine(random, random.pick(lineQueues)),
  delayed: (random: Random) => ({ delayMs: random.integer(50, 3000), ...of('quick', null) }),
  deadline: (random: Random) => ({
    deadlineMs: random.integer(100, 2500),
    ...failing(random),
    ...(random.chance(0.5) ? of('long', { ms: random.integer(100, 2000) }) : of('flaky', flakiness(random))),
  }),
  timeout: (random: Random) => ({
    timeoutMs: random.integer(100, 800),
    ...failing(random),
    maxAttempts: random.integer(1, 2),
    ...of('long', { ms: random.integer(200, 1200) }),
  }),
  crashing: (random: Random) => ({
    ...failing(random),
    ...of('crashing', { how: random.pick(['exit', 'throw']), succeedsAt: random.integer(2, 4) }),
  }),
  shell,
  /** The last one is more than a result may be. */
  big: (random: Random) => ({ maxAttempts: 1, ...of('big', { characters: random.pick([1000, 100_000, 300_000]) }) }),
  deaf: (random: Random) => ({
    timeoutMs: random.integer(300, 1500),
    ...failing(random),
    maxAttempts: random.integer(1, 2),
    ...of('deaf', { ms: random.integer(2000, 8000) }),
  }),
  blocking: (random: Random) => ({
    timeoutMs: random.integer(200, 2000),
    maxAttempts: 1,
    ...of('blocking', { ms: random.integer(50, 400) }),
  }),
} satisfies Record<string, (random: Random, evidence: string) => Spec>;

/** `evidence`: the file that commands write to. */
export function drawTask(random: Random, marker: string, evidence: string): TrafficTask {
  return { marker, ...kinds[random.weighted(weights)](random, evidence) };
}

/** For the queue's line; the higher its priority the sooner. */
export function inLine(random: Random, { name }: LineQueue): Spec {
  return { queue: name, priority: random.integer(-3, 3), ...of('long', { ms: random.integer(1, 40) }) };
}

function of<T extends EvidenceType>(type: T, payload: EvidencePayloads[T]): { type: T; payload: EvidencePayloads[T] } {
  return { type, payload };
}

/** Attempts follow each other soon. */
function failing(random: Random): Pick<Spec, 'maxAttempts' | 'backoff'> {
  const backoff = { type: 'fixed', delayMs: random.integer(0, 400), jitter: random.chance(0.5) } as const;
  return { maxAttempts: random.integer(1, 4), backoff };
}

function flakiness(random: Random): EvidencePayloads['flaky'] {
  return {
    succeedsAt: random.integer(2, 4),
    ...(random.chance(0.1) && { retryable: false }),
    ...(random.chance(0.2) && { retryAfterMs: random.integer(0, 500) }),
  };
}

function shell(random: Random, evidence: string): Spec {
  const manner = { ms: random.integer(50, 900), isDeaf: random.chance(0.2), isChild: random.chance(0.5) };
  const payload = { command: shellCommand(evidence, manner) };
  return {
    ...failing(random),
    ...(random.chance(0.3) && { timeoutMs: random.integer(200, 900) }),
    type: 'shell',
    payload,
  };
}
