// `npm run bench`: measures this working tree on this machine, on ZooKeeper servers of its own. Prints one JSON line for each
// figure and a table of them, writes the lines to a file too, and compares them with those of an earlier run where it is told to.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { RunScope } from '../test/support/run-scope.ts';
import { changeTable, compareFigures } from './compare.ts';
import { startDriver } from './driver.ts';
import { type Figure, Figures, figureTable, perTask, toJsonLine } from './figures.ts';
import { describeMachine, differences, type Head, machineLine } from './machine.ts';
import { type BenchOptions, readBenchOptions, UsageError, usage, type WorkName } from './options.ts';
import { parseRun, type Run } from './run-file.ts';
import { ceilings } from './works/ceilings.ts';
import { costs } from './works/costs.ts';
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

const signals = ['SIGINT', 'SIGTERM'] as const;
class Stopped extends Error {}

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
    if (figures.list.length > 0) report(head, figures.list, options, before);
  }
}

function readRun(file: string): Run {
  try {
    return parseRun(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--compare ${file}: ${(error as Error).message}`);
  }
}

function report(head: Head, figures: readonly Figure[], { out, compare }: BenchOptions, before: Run | null): void {
  const lines = [JSON.stringify(head), ...figures.map(toJsonLine)].join('\n');
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${lines}\n`);
  // The counted ones have tables of their own.
  const timed = figures.filter(({ unit }) => unit !== perTask);
  console.log(`${lines}\n\n${figureTable(timed)}\n`);
  if (before !== null) {
    console.log([`Compared with ${compare}.`, ...differences(before.head, head)].join(' '));
    console.log(`\n${changeTable(compareFigures(before.figures, figures))}\n`);
  }
  console.log(`Written to ${out}`);
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

/** A signal ends what the scope has, and with that whatever waits for it. */
async function withScope<T>(use: (scope: RunScope) => Promise<T>): Promise<T> {
  const scope = new RunScope();
  const stopped = new Promise<never>((_, reject) => {
    for (const signal of signals) process.once(signal, () => reject(new Stopped(signal)));
  });
  try {
    return await Promise.race([use(scope), stopped]);
  } catch (error) {
    // What was just being started says that it was not.
    if (error instanceof Stopped) await scope.close().catch(() => undefined);
    throw error;
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
  process.stderr.write(`${explain(error as Error)}\n`);
  process.exit(1); // a work that was stopped may still wait for something
}

function explain(error: Error): string {
  if (error instanceof UsageError) return `${error.message}\n\n${usage}`;
  return error instanceof Stopped ? `${error.message}: everything is ended` : (error.stack ?? error.message);
}
