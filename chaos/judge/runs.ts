// Runs of handlers, put together from the lines that they wrote themselves: one for each task and fencing token. Pure.

import type { Moment, RunLine } from '../record.ts';
import { groupBy } from './group-by.ts';
import type { Life, Processes } from './processes.ts';

export interface Run {
  readonly task: string;
  /** The transaction that made its assignment. */
  readonly token: bigint;
  readonly attempt: number;
  readonly pid: number;
  /** Null: the record knows no such process. */
  readonly life: Life | null;
  /** Of all its lines, ascending; never empty. */
  readonly times: readonly Moment[];
  readonly startAt: Moment;
  /** As far as it came, whether that was its end or not. */
  readonly lastAt: Moment;
  /** More than one, none, or lines of two processes: the run is not one. */
  readonly starts: readonly RunLine[];
  readonly end: RunLine | null;
  readonly last: RunLine;
}

const decimal = /^\d+$/;

/** Lines whose token is no number are left out: `isReadable`. */
export function runsOf(lines: readonly RunLine[], processes: Processes): Run[] {
  const byRun = groupBy(lines.filter(isReadable), ({ task, token }) => `${task} ${token}`);
  return [...byRun.values()].map((ofRun) => runOf(ofRun, processes)).sort((a, b) => a.startAt - b.startAt);
}

export function isReadable({ token }: RunLine): boolean {
  return decimal.test(token);
}

function runOf(unsorted: readonly RunLine[], processes: Processes): Run {
  const lines = [...unsorted].sort((a, b) => a.at - b.at);
  const [first, last] = [lines[0] as RunLine, lines.at(-1) as RunLine];
  return {
    ...{ task: first.task, token: BigInt(first.token), attempt: first.attempt, pid: first.pid },
    life: processes.lifeAt(first.pid, first.at),
    times: lines.map(({ at }) => at),
    ...{ startAt: first.at, lastAt: last.at, last },
    starts: lines.filter(({ line, pid }) => line === 'start' || pid !== first.pid),
    end: lines.find(({ line }) => line === 'end') ?? null,
  };
}

/** In the order of their assignments. */
export function byToken(a: Run, b: Run): number {
  if (a.token === b.token) return a.startAt - b.startAt;
  return a.token < b.token ? -1 : 1;
}

/** First and last line, as the record has them. */
export function linesOf({ starts, last }: Run): string[] {
  return [...starts.map((line) => JSON.stringify(line)), JSON.stringify(last)];
}
