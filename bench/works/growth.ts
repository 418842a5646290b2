// How the figures change as there is more of something: of POSTs in flight, and of finished tasks that are kept. For the curves
// of docs/performance.md (bench/plot.ts); each point has a value a repetition.

import { residentMegabytes } from '../../test/support/process-usage.ts';
import type { LoadResult } from '../loads.ts';
import { type BenchStack, startBenchStack, warmUp } from '../stack.ts';
import { type Bench, repeat, type Work } from './work.ts';

const inFlight = [1, 4, 16, 64, 256];
/** Parts of `many`. */
const kept = [0, 0.1, 0.25, 0.5, 1];

export const growth: Work = async (bench) => {
  const stack = await startBenchStack(bench.scope);
  await warmUp(bench.driver, stack, bench.sizes.tasks);
  await repeat(bench, 'more in flight', async () => {
    for (const at of inFlight) await byInFlight(bench, stack, at);
    await stack.reset();
  });
  let present = 0;
  for (const part of kept) {
    const at = Math.round(part * bench.sizes.many);
    if (at > present) await stack.grow('finished', at - present);
    present = at;
    await repeat(bench, `among ${at} finished`, () => byTasksKept(bench, stack, at));
  }
};

async function byInFlight({ driver, figures, sizes }: Bench, stack: BenchStack, at: number): Promise<void> {
  const tasks = Math.ceil(at < 16 ? sizes.tasks / 10 : sizes.tasks);
  const before = await newestTransaction(stack);
  const result = await driver.run({ work: 'submit', port: stack.port, tasks, inFlight: at });
  const transactions = (await newestTransaction(stack)) - before;
  figures.add({ figure: 'tasks by POSTs in flight', unit: '1/s', better: 'higher', at }, tasks / result.seconds);
  figures.add({ figure: 'transactions by POSTs in flight', unit: '1/task', better: 'lower', at }, transactions / tasks);
}

async function byTasksKept({ driver, figures, sizes }: Bench, stack: BenchStack, at: number): Promise<void> {
  const { tasks } = sizes;
  const add = (figure: string, unit: string, better: 'higher' | 'lower', value: number) =>
    figures.add({ figure: `${figure} by tasks kept`, unit, better, at }, value);
  const rate = ({ seconds }: LoadResult) => tasks / seconds;
  add('W1', '1/s', 'higher', rate(await driver.run({ work: 'submit', port: stack.port, tasks, inFlight: 64 })));
  const load = { work: 'roundTrips', port: stack.port, tasks: Math.ceil(tasks / 10), inFlight: 1 } as const;
  const { roundTripMs } = await driver.run(load);
  add('round trip p50', 'ms', 'lower', roundTripMs?.p50 ?? Number.NaN);
  add('memory of the master', 'MB', 'lower', residentMegabytes(stack.pids()['master'] ?? 0) ?? Number.NaN);
  await stack.reset();
}

/** The number of the ensemble's newest transaction; the one that shows it is among them. */
async function newestTransaction({ stack }: BenchStack): Promise<number> {
  const session = await stack.session;
  const path = await session.create('/newest-', '', 'sequential');
  return Number((await session.exists(path))?.czxid ?? 0n);
}
