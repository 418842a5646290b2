// What `npm run failover -- ...` is told.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../command.ts';
import { parsed, readCount } from '../options.ts';
import { benchFolder } from '../zookeeper.ts';

/** What is ended, and how. */
export const parts = [
  'leader-killed',
  'leader-stopped',
  'worker-killed',
  'worker-stopped',
  'server-killed',
  'server-leader-killed',
] as const;
export type Part = (typeof parts)[number];

export interface FailoverSizes {
  /** Of each kind. */
  readonly kills: number;
  /** Tasks that are there besides: measured with each of these numbers. */
  readonly backlogs: readonly number[];
  /** `waiting`: no worker takes them. `finished`: they are kept. */
  readonly contents: 'waiting' | 'finished';
  /** Of every process. */
  readonly sessionMs: number;
  /** Of ZooKeeper, which ends sessions at the ticks of its clock. */
  readonly tickMs: number;
}

export interface FailoverOptions {
  readonly parts: readonly Part[];
  readonly sizes: FailoverSizes;
  /** File for the JSON lines. */
  readonly out: string;
}

export const usage = `npm run failover -- [options]

  --only PART,...          some of: ${parts.join(', ')}
  --kills 20               of each kind
  --backlogs 0,10000,...   tasks that are there besides; each is measured by itself
  --contents waiting       or finished: what those are
  --session 2000           timeout of all sessions, ms
  --tick 200               of ZooKeeper, ms; sessions are at least two ticks long
  --quick                  a look, not a measurement: 3 kills, among 0 and 1000
  --out FILE               where the JSON lines go`;

const normal: FailoverSizes = {
  kills: 20,
  backlogs: [0, 10_000, 100_000],
  contents: 'waiting',
  sessionMs: 2000,
  tickMs: 200,
};
const quick: FailoverSizes = { ...normal, kills: 3, backlogs: [0, 1000] };

/** Null: only help was asked for. Throws {@link UsageError}. */
export function readFailoverOptions(args: string[]): FailoverOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const numbers = { kills: text, session: text, tick: text };
  const options = { only: text, backlogs: text, contents: text, out: text, quick: flag, help: flag, ...numbers };
  const { values } = parsed(() => parseArgs({ args, options }));
  if (values.help) return null;
  const sizes = values.quick ? quick : normal;
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  return {
    parts: values.only === undefined ? parts : chosen(values.only.split(',')),
    sizes: {
      kills: readCount('--kills', values.kills) ?? sizes.kills,
      backlogs: values.backlogs === undefined ? sizes.backlogs : values.backlogs.split(',').map(readBacklog),
      contents: readContents(values.contents) ?? sizes.contents,
      sessionMs: readCount('--session', values.session) ?? sizes.sessionMs,
      tickMs: readCount('--tick', values.tick) ?? sizes.tickMs,
    },
    out: values.out ?? join(benchFolder, `failover-${stamp}.jsonl`),
  };
}

function chosen(wanted: readonly string[]): readonly Part[] {
  const names: readonly string[] = parts;
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`--only: there is no ${unknown.join(' or ')}; there are ${names.join(', ')}`);
  return parts.filter((part) => wanted.includes(part));
}

function readBacklog(text: string): number {
  return text === '0' ? 0 : (readCount('--backlogs', text) ?? 0);
}

function readContents(text: string | undefined): FailoverSizes['contents'] | null {
  if (text === undefined || text === 'waiting' || text === 'finished') return text ?? null;
  throw new UsageError(`--contents: ${text} is neither waiting nor finished`);
}
