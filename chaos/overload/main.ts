// `npm run overload`: more of everything than the system is made for, one scenario after the other, each on a stack of its own. Prints what
// was measured and the bound of each figure; exit code 1 where one is broken.

import { ensureZooKeeper } from '../../scripts/ensure-zookeeper.ts';
import { RunScope } from '../../test/support/run-scope.ts';
import { readOverloadOptions, UsageError, usageOf } from './options.ts';
import { Report } from './report.ts';
import { flood } from './scenarios/flood.ts';
import { limit } from './scenarios/limit.ts';
import { nuisance } from './scenarios/nuisance.ts';
import { streams } from './scenarios/streams.ts';
import { waits } from './scenarios/waits.ts';
import { fullSizes, type Sizes, smallSizes } from './sizes.ts';
import { type Scenario, World } from './world.ts';

const scenarios: readonly Scenario[] = [limit, waits, streams, flood, nuisance];
const signals = ['SIGINT', 'SIGTERM'] as const;
class Stopped extends Error {}

async function main(): Promise<void> {
  const names = scenarios.map(({ name }) => name);
  const options = readOverloadOptions(process.argv.slice(2), names);
  if (options === null) return console.log(usageOf(scenarios));
  const { among, servers, seconds, small, only } = options;
  const base = small ? smallSizes : fullSizes;
  const sizes: Sizes = { ...base, among, servers, floodSeconds: seconds ?? base.floodSeconds };
  const report = new Report();
  ensureZooKeeper();
  try {
    for (const scenario of scenarios) {
      if (only.length === 0 || only.includes(scenario.name)) await runScenario(scenario, sizes, report);
    }
  } finally {
    // Also of a run that was ended: what it measured, it measured.
    console.log(report.table());
  }
  console.log(report.isGood ? '\nEvery bound is kept.' : `\n${report.broken.length} bounds are broken.`);
  process.exitCode = report.isGood ? 0 : 1;
}

async function runScenario(scenario: Scenario, sizes: Sizes, report: Report): Promise<void> {
  const scope = new RunScope();
  const stopped = new Promise<never>((_, reject) => {
    for (const signal of signals) process.once(signal, () => reject(new Stopped(signal)));
  });
  const run = async () => {
    const world = await World.start({
      scope,
      scenario,
      sizes,
      report,
      say: (text) => say(`${scenario.name}: ${text}`),
    });
    await scenario.run(world);
    await world.judge();
  };
  try {
    await Promise.race([run(), stopped]);
  } finally {
    for (const signal of signals) process.removeAllListeners(signal);
    await scope.close();
  }
}

/** On stderr: what is printed on stdout are the figures. */
function say(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

try {
  await main();
} catch (error) {
  const { message, stack } = error as Error;
  const text =
    error instanceof UsageError ? `${message}\n\n${usageOf(scenarios)}` : error instanceof Stopped ? message : stack;
  process.stderr.write(`${text}\n`);
  process.exit(1); // what was stopped may still wait for something
}
