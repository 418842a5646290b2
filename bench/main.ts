// `npm run bench`: measures this working tree on this machine, on ZooKeeper servers of its own. Prints one JSON line for each
// figure and a table of them, writes the lines to a file too, and compares them with those of an earlier run where it is told to.

import { readFileSync } from 'node:fs';
import { runCommand, say, UsageError, withScope } from './command.ts';
import { changeTable, compareFigures } from './compare.ts';
import { startDriver } from './driver.ts';
import { type Figure, Figures } from './figures.ts';
import { describeMachine, differences, type Head, machineLine } from './machine.ts';
import { readBenchOptions, usage, type WorkName } from './options.ts';
import { report } from './report.ts';
import { parseRun, type Run } from './run-file.ts';
import { ceilings } from './works/ceilings.ts';
import { costs } from './works/costs.ts';
import { flatness } from './works/flatness.ts';
import { growth } from './works/growth.ts';
import { idle } from './works/idle.ts';
import { masterStart } from './works/master-start.ts';
import { type Measured, throughput, w1, w2many, w2one, w3 } from './works/throughput.ts';
import { type Bench, sharedStacks, type Work } from './works/work.ts';
import { startBenchZooKeeper, versionOf } from './zookeeper.ts';

const works: Readonly<Partial<Record<WorkName, Work>>> = {
  ceilings,
  flat: flatness,
  start: masterStart,
  idle,
  costs,
  growth,
};
/** Those of one group take turns in each repetition. */
const loads: Readonly<Partial<Record<WorkName, readonly Measured[]>>> = { W1: [w1], W2: [w2one, w2many], W3: [w3] };

async function main(): Promise<void> {
  const options = readBenchOptions(process.argv.slice(2));
  if (options === null) return console.log(usage);
  const before = options.compare === null ? null : readRun(options.compare);
  const figures = new Figures();
  const head = { machine: describeMachine(await zookeeperVersion()), sizes: options.sizes };
  say(machineLine(head.machine));
  try {
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
  } finally {
    // Also of a run that was ended: what it measured, it measured.
    if (figures.list.length > 0) {
      report(head, figures.list, options.out);
      if (before !== null) reportChanges(head, figures.list, before, options.compare);
    }
  }
}

function readRun(file: string): Run {
  try {
    return parseRun(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--compare ${file}: ${(error as Error).message}`);
  }
}

/** What is better and what is worse than in an earlier run. */
function reportChanges(head: Head, figures: readonly Figure[], before: Run, file: string | null): void {
  console.log([`\nCompared with ${file}.`, ...differences(before.head, head)].join(' '));
  console.log(`\n${changeTable(compareFigures(before.figures, figures))}`);
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

await runCommand(usage, main);
