// W1, 64 POSTs in flight until all tasks are done; W2, POST and then a long poll for the result, one and sixteen at a time; W3, a
// thousand to a POST and two of those in flight. Each with what it took of a processor, by process.

import { cpuSeconds } from '../../test/support/process-usage.ts';
import type { Load, LoadResult } from '../loads.ts';
import type { BenchStack } from '../stack.ts';
import { type Bench, repeat } from './work.ts';

export interface Measured {
  readonly name: string;
  load(port: number, tasks: number): Load;
  /** So many times the tasks of the run's sizes: those alone are over too soon. */
  readonly times?: number;
  /** Of what is compared between stacks: the one figure that says most, the higher the better. */
  rate(result: LoadResult, tasks: number): number;
}

const perSecond = ({ seconds }: LoadResult, tasks: number) => tasks / seconds;

export const w1: Measured = {
  name: 'W1',
  load: (port, tasks) => ({ work: 'submit', port, tasks, inFlight: 64 }),
  rate: perSecond,
};
export const w2one: Measured = {
  name: 'W2 one at a time',
  load: (port, tasks) => ({ work: 'roundTrips', port, tasks: Math.ceil(tasks / 10), inFlight: 1 }),
  // By the median: a single pause of the machine says nothing about the queue.
  rate: ({ roundTripMs }) => 1000 / (roundTripMs?.p50 ?? Number.NaN),
};
export const w2many: Measured = {
  name: 'W2 sixteen at a time',
  load: (port, tasks) => ({ work: 'roundTrips', port, tasks: Math.ceil(tasks / 5), inFlight: 16 }),
  rate: perSecond,
};
export const w3: Measured = {
  name: 'W3',
  times: 4,
  load: (port, tasks) => ({ work: 'bulk', port, tasks, inFlight: 2 }),
  rate: perSecond,
};

export async function throughput(bench: Bench, works: readonly Measured[]): Promise<void> {
  if (works.length === 0) return;
  const stack = await bench.stack('empty');
  await repeat(bench, works.map(({ name }) => name).join(', '), async () => {
    for (const work of works) await measure(bench, stack, work);
    await stack.reset();
  });
}

async function measure(
  { driver, figures, sizes }: Bench,
  stack: BenchStack,
  { name, load, times = 1 }: Measured,
): Promise<void> {
  const given = load(stack.port, sizes.tasks * times);
  const { tasks } = given;
  const before = cpuByRole(stack);
  const result = await driver.run(given);
  const higher = (figure: string, unit: string, value: number) =>
    figures.add({ figure: `${name}: ${figure}`, unit, better: 'higher' }, value);
  const lower = (figure: string, unit: string, value: number) =>
    figures.add({ figure: `${name}: ${figure}`, unit, better: 'lower' }, value);
  if (result.roundTripMs) {
    higher('round trips', '1/s', tasks / result.seconds);
    for (const [rank, ms] of Object.entries(result.roundTripMs)) lower(`round trip ${rank}`, 'ms', ms);
  } else {
    higher('tasks', '1/s', tasks / result.seconds);
    higher('submits', '1/s', tasks / result.submitSeconds);
    for (const [rank, ms] of Object.entries(result.submitMs)) lower(`POST ${rank}`, 'ms', ms);
  }
  for (const [role, seconds] of Object.entries(cpuByRole(stack))) {
    const used = seconds - (before[role] ?? Number.NaN);
    if (!Number.isNaN(used)) lower(`CPU of the ${role}`, 'µs/task', (used * 1e6) / tasks);
  }
  lower('CPU of the driver', 'µs/task', (result.cpuSeconds * 1e6) / tasks);
}

function cpuByRole(stack: BenchStack): Record<string, number> {
  const entries = Object.entries(stack.pids()).map(([role, pid]) => [role, cpuSeconds(pid) ?? Number.NaN]);
  return Object.fromEntries(entries);
}
