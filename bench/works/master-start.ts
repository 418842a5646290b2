// A master that is started where many tasks are: how long until its first assignment, and what it then takes of memory.

import { residentMegabytes } from '../../test/support/process-usage.ts';
import type { BenchStack } from '../stack.ts';
import { repeat, type Work } from './work.ts';

export const masterStart: Work = async (bench) => {
  const { figures, driver, sizes } = bench;
  for (const contents of ['finished', 'waiting'] as const) {
    const stack = await bench.stack(contents);
    await repeat(bench, `a new master among many ${contents}`, async () => {
      const ms = await startAnew(stack);
      figures.add({ figure: `a new master's first assignment, many ${contents}`, unit: 'ms', better: 'lower' }, ms);
      await driver.run({ work: 'submit', port: stack.port, tasks: Math.ceil(sizes.tasks / 4), inFlight: 64 });
      const megabytes = residentMegabytes(stack.pids()['master'] ?? 0) ?? Number.NaN;
      figures.add({ figure: `memory of the master, many ${contents}`, unit: 'MB', better: 'lower' }, megabytes);
      await stack.reset();
    });
  }
};

/** From the start of the process until a task that waits for it is done: a few ms more than until its assignment. */
async function startAnew({ stack }: BenchStack): Promise<number> {
  for (const { process } of stack.masters.splice(0)) await process.stop();
  const { id } = await stack.client.submit({ type: 'echo' });
  const startedAt = performance.now();
  const started = stack.addMaster();
  await stack.client.wait(id, 60_000);
  const ms = performance.now() - startedAt;
  await started;
  return ms;
}
