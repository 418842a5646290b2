// `npm run bench`: measures this working tree on this machine, on ZooKeeper servers of its own. Prints one JSON line for each
// figure and a table of them, writes the lines to a file too, and compares them with those of an earlier run where it is told to.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { changeTable, compareFigures } from './compare.ts';
import { startDriver } from './driver.ts';
import { Figures, figureTable, parseFigures, toJsonLine } from './figures.ts';
import { describeMachine, differences, machineLine, parseHead } from './machine.ts';
import { readBenchOptions, UsageError, usage, type WorkName } from './options.ts';
import { RunScope } from './scope.ts';
import { ceilings } from './works/ceilings.ts';
import { costs, perTask } from './works/costs.ts';
import { flatness } from './works/flatness.ts';
import { growth } from './works/growth.ts';
import { idle } from './works/idle.ts';
import { masterStart } from './works/master-start.ts';
import { takeover } from './works/takeover.ts';
import { type Measured, throughput, w1, w2many, w2one, w3 } from './works/throughput.ts';
import { type Bench, sharedStacks, type Work } from './works/work.ts';
import { startBenchZooKeeper, versionOf } from './zookeeper.ts';

const works: Readonly<Partial<Record<WorkName, Work>>> = {
  ceilings,
  flat: flatness,
  start: masterStart,
  takeover,
  idle,
  costs,
  growth,
};
/** Those of one group take turns in each repetition. */
const loads: Readonly<Partial<Record<WorkName, readonly Measured[]>>> = { W1: [w1], W2: [w2one, w2many], W3: [w3] };

async function main(): Promise<void> {
  const options = readBenchOptions(process.argv.slice(2));
  if (options === null) return console.log(usage);
  const before = options.compare === null ? null : readFileSync(options.compare, 'utf8');
  const figures = new Figures();
  const head = { machine: describeMachine(await zookeeperVersion()), sizes: options.sizes };
  say(machineLine(head.machine));
  for (const names of options.works) {
    // What one work leaves behind, warm processes and full heaps, is not the next one's, except where works share stacks.
    await withBench(options.sizes, figures, async (bench) => {
      await throughput(
        bench,
        names.flatMap((name) => loads[name] ?? []),
      );
      for (const name of names) await works[name]?.(bench);
    });
  }
  const lines = [JSON.stringify(head), ...figures.list.map(toJsonLine)].join('\n');
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${lines}\n`);
  // The counted ones have tables of their own.
  const timed = figures.list.filter(({ unit }) => unit !== perTask);
  console.log(`${lines}\n\n${figureTable(timed)}\n`);
  if (before !== null) {
    console.log([`Compared with ${options.compare}.`, ...differences(parseHead(before), head)].join(' '));
    console.log(`\n${changeTable(compareFigures(parseFigures(before), figures.list))}\n`);
  }
  console.log(`Written to ${options.out}`);
}

async function zookeeperVersion(): Promise<string> {
  return await withScope(async (scope) => versionOf(await startBenchZooKeeper(scope)));
}

function withBench(sizes: Bench['sizes'], figures: Figures, run: (bench: Bench) => Promise<void>): Promise<void> {
  return withScope(async (scope) => {
    const tools = { scope, sizes, figures, driver: startDriver(scope), say };
    await run({ ...tools, stack: sharedStacks(tools) });
  });
}

async function withScope<T>(use: (scope: RunScope) => Promise<T>): Promise<T> {
  const scope = new RunScope();
  const stop = (signal: NodeJS.Signals) => {
    say(`${signal}: ending everything`);
    void scope.close().finally(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    return await use(scope);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
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
  process.stderr.write(`${error instanceof UsageError ? `${error.message}\n\n${usage}` : (error as Error).stack}\n`);
  process.exitCode = 1;
}
