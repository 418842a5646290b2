// What `npm run bench -- ...` is told.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from './command.ts';
import type { Sizes } from './works/work.ts';
import { benchFolder } from './zookeeper.ts';

/** In the order of a whole run, and in groups: those of one share stacks. */
const wholeRun = [['ceilings'], ['W1', 'W2', 'W3'], ['flat', 'start'], ['idle'], ['costs']] as const;
/** Only for whoever asks for it. */
const extra = [['growth']] as const;

export type WorkName = (typeof wholeRun | typeof extra)[number][number];

export interface BenchOptions {
  readonly works: readonly (readonly WorkName[])[];
  readonly sizes: Sizes;
  /** File for the JSON lines. */
  readonly out: string;
  readonly compare: string | null;
}

export const usage = `npm run bench -- [options]

  --only W1,W2      some of: ceilings, W1, W2, W3, flat, start, idle, costs;
                    or growth, for the curves, which is not part of a whole run
  --quick           a look, not a measurement: fewer of everything
  --n 5000          tasks of W1; W3 has four times as many, the latencies have fewer
  --reps 4          repetitions; the lowest and the highest are the spread; fewer than 4 cannot be
                    compared, and flat rounds up to a multiple of its three stacks
  --many 100000     tasks that are kept, or wait, for flat and start
  --out FILE        where the JSON lines go
  --compare FILE    those of an earlier run, to see what is better and worse`;

const normal: Sizes = { tasks: 5000, repetitions: 4, many: 100_000, idleSeconds: 20 };
const quick: Sizes = { tasks: 1500, repetitions: 2, many: 10_000, idleSeconds: 5 };

/** Null: only help was asked for. Throws {@link UsageError}. */
export function readBenchOptions(args: string[]): BenchOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { only: text, quick: flag, n: text, reps: text, many: text, out: text, compare: text, help: flag };
  const { values } = parsed(() => parseArgs({ args, options }));
  if (values.help) return null;
  const sizes = values.quick ? quick : normal;
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  return {
    works: values.only === undefined ? wholeRun : chosen(values.only.split(',')),
    sizes: {
      ...sizes,
      tasks: readCount('--n', values.n) ?? sizes.tasks,
      repetitions: readCount('--reps', values.reps) ?? sizes.repetitions,
      many: readCount('--many', values.many) ?? sizes.many,
    },
    out: values.out ?? join(benchFolder, `${stamp}.jsonl`),
    compare: values.compare ?? null,
  };
}

function chosen(wanted: readonly string[]): BenchOptions['works'] {
  const groups: BenchOptions['works'] = [...wholeRun, ...extra];
  const names: readonly string[] = groups.flat();
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`--only: there is no ${unknown.join(' or ')}; there are ${names.join(', ')}`);
  return groups.map((group) => group.filter((name) => wanted.includes(name))).filter((group) => group.length > 0);
}

/** Null: it was not given. Throws {@link UsageError}. */
export function readCount(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`${option}: ${text} is no number from 1 up`);
  return value;
}

/** Node throws a TypeError that says what it does not know. */
export function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
