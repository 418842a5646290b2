// What `npm run chaos -- ...` is told.

import { join } from 'node:path';
import { parseArgs } from 'node:util';

export interface ChaosOptions {
  /** Any text: the same one draws the same traffic and the same faults. */
  readonly seed: string;
  /** How long things are broken. */
  readonly seconds: number;
  /** Runs one after the other, each with a seed of its own: `seed`, `seed-2`, `seed-3`. */
  readonly runs: number;
  /** Where each run gets a folder, named after its seed. */
  readonly out: string;
  /** The folder of a run that went well, which is removed otherwise, stays too. */
  readonly keep: boolean;
  /** A folder of an earlier run, to be judged again; nothing is run. */
  readonly judge: string | null;
}

/** What is asked for cannot be done. */
export class UsageError extends Error {}

export const usage = `npm run chaos -- [options]

  --seed TEXT      what is drawn from it, traffic and faults, is the same each time (default: made up, and printed)
  --seconds 60     how long things are broken
  --runs 1         so many runs, one after the other, with other seeds made of the first one
  --out FOLDER     where a run writes what it saw, in a folder of its own (default: chaos-runs)
  --keep           the folder of a run that went well stays, too
  --judge FOLDER   judges a run that was kept once more, and runs nothing`;

/** Null: only help was asked for. Throws {@link UsageError}. */
export function readChaosOptions(args: string[], madeUpSeed: string): ChaosOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { seed: text, seconds: text, runs: text, out: text, judge: text, keep: flag, help: flag };
  const { values } = parsed(() => parseArgs({ args, options }));
  if (values.help) return null;
  return {
    seed: readSeed(values.seed ?? madeUpSeed),
    seconds: readCount('--seconds', values.seconds ?? '60'),
    runs: readCount('--runs', values.runs ?? '1'),
    out: values.out ?? join(process.cwd(), 'chaos-runs'),
    keep: values.keep ?? false,
    judge: values.judge ?? null,
  };
}

/** It is the name of a folder, too. */
function readSeed(seed: string): string {
  if (!/^[\w-]{1,64}$/.test(seed)) throw new UsageError(`--seed: ${seed} is not 1 to 64 letters, digits, _ or -`);
  return seed;
}

function readCount(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`${option}: ${text} is no number from 1 up`);
  return value;
}

/** Node throws a TypeError that says what it does not know. */
function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
