// What `npm run overload -- ...` is told.

import { parseArgs } from 'node:util';

export interface OverloadOptions {
  /** Names of scenarios; empty: all. */
  readonly only: readonly string[];
  readonly among: number;
  readonly seconds: number | null;
  readonly servers: number;
  readonly small: boolean;
}

export class UsageError extends Error {}

export function usageOf(scenarios: readonly { readonly name: string; readonly about: string }[]): string {
  const names = scenarios.map(({ name, about }) => `    ${name.padEnd(10)} ${about}`);
  return `npm run overload -- [options]

  --only a,b       these scenarios alone:
${names.join('\n')}
  --among 100000   in a tree that has so many tasks already, half of them finished (default: 0)
  --seconds 120    how long the flood goes on
  --servers 1      of ZooKeeper, 1 or 3
  --small          the sizes of the test: seconds instead of minutes`;
}

/** Null: only help was asked for. Throws {@link UsageError}. */
export function readOverloadOptions(args: string[], names: readonly string[]): OverloadOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { only: text, among: text, seconds: text, servers: text, small: flag, help: flag };
  const { values } = parsed(() => parseArgs({ args, options }));
  if (values.help) return null;
  const only = values.only?.split(',') ?? [];
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only: there is no ${unknown}`);
  const servers = count('--servers', values.servers ?? '1');
  if (servers !== 1 && servers !== 3) throw new UsageError('--servers: 1 or 3');
  return {
    only,
    servers,
    among: count('--among', values.among ?? '0', 0),
    seconds: values.seconds === undefined ? null : count('--seconds', values.seconds),
    small: values.small ?? false,
  };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function count(option: string, text: string, min = 1): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < min) {
    throw new UsageError(`${option}: ${text} is no number from ${min} up`);
  }
  return value;
}
