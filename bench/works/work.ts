// What each part of a run is given: how much to do, what to do it with, and where the figures go.

import type { TestScope } from '../../test/support/cleanup.ts';
import type { Driver } from '../driver.ts';
import type { Figures } from '../figures.ts';
import { type BenchStack, type Contents, startBenchStack, warmUp } from '../stack.ts';

export interface Sizes {
  /** Tasks of W1; W3 has more, the latencies have fewer. */
  readonly tasks: number;
  readonly repetitions: number;
  /** Kept, or waiting, where it is measured what many cost. */
  readonly many: number;
  readonly idleSeconds: number;
}

export interface Bench {
  readonly sizes: Sizes;
  readonly scope: TestScope;
  readonly driver: Driver;
  readonly figures: Figures;
  /** Started and warmed up when it is first asked for; shared by the works of a run. */
  stack(contents: Contents): Promise<BenchStack>;
  /** For whoever watches. */
  say(progress: string): void;
}

/** Fewer leave the processes, and ZooKeeper's Java most of all, far from their pace. */
const warmUpTasksMin = 3000;

export type Work = (bench: Bench) => Promise<void>;

export function sharedStacks(bench: Omit<Bench, 'stack'>): Bench['stack'] {
  const started = new Map<Contents, Promise<BenchStack>>();
  const start = async (contents: Contents) => {
    const { scope, driver, sizes, say } = bench;
    say(contents === 'empty' ? 'starting a stack' : `starting a stack with ${sizes.many} ${contents} tasks`);
    const stack = await startBenchStack(scope);
    if (contents !== 'empty') await stack.grow(contents, sizes.many);
    await warmUp(driver, stack, Math.max(warmUpTasksMin, sizes.tasks));
    return stack;
  };
  return (contents) => {
    const stack = started.get(contents) ?? start(contents);
    started.set(contents, stack);
    return stack;
  };
}

export async function repeat(
  bench: Bench,
  what: string,
  once: (repetition: number) => Promise<void>,
  repetitions = bench.sizes.repetitions,
): Promise<void> {
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    bench.say(`${what}, ${repetition + 1} of ${repetitions}`);
    await once(repetition);
  }
}
