// `npm run chaos`: traffic on a whole system of its own while it is broken on purpose, by a schedule that is drawn from a seed, and the
// judgement of what was recorded. Exit code 1 where a promise was broken or the run itself was no good.

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from './judge/judge.ts';
import { renderVerdict } from './judge/render-verdict.ts';
import { outcomeOf, type Verdict } from './judge/verdict.ts';
import { type ChaosOptions, readChaosOptions, UsageError, usage } from './options.ts';
import { NothingToJudge, readReport } from './report.ts';
import { type ChaosRun, runChaos, Stopped } from './run.ts';

async function main(): Promise<void> {
  const options = readChaosOptions(process.argv.slice(2), randomBytes(4).toString('hex'));
  if (options === null) return console.log(usage);
  const isGood = options.judge === null ? await runAll(options) : tell(judgeFolder(options.judge));
  process.exitCode = isGood ? 0 : 1;
}

/** All of them, also after a bad one: what one seed shows another does not. */
async function runAll({ seed, runs, seconds, out, keep }: ChaosOptions): Promise<boolean> {
  const bad: string[] = [];
  for (let run = 1; run <= runs; run++) {
    const its = run === 1 ? seed : `${seed}-${run}`;
    const folder = join(out, its);
    if (!(await isKept({ seed: its, seconds, folder, say }))) bad.push(its);
    else if (!keep) rmSync(folder, { recursive: true, force: true });
  }
  console.log(summary(runs, seconds, bad, out));
  return bad.length === 0;
}

/** False also of a run that did not come to its end: what was made whole again did not recover. */
async function isKept(run: ChaosRun): Promise<boolean> {
  try {
    await runChaos(run);
  } catch (error) {
    if (error instanceof Stopped) throw error;
    console.log(`seed ${run.seed} came to no end: ${(error as Error).message}`);
    return false;
  }
  return tell(judgeFolder(run.folder));
}

function judgeFolder(folder: string): Verdict {
  const { entries, tree } = readReport(folder);
  return judge(entries, tree);
}

function tell(verdict: Verdict): boolean {
  console.log(renderVerdict(verdict));
  return outcomeOf(verdict) === 'kept';
}

function summary(runs: number, seconds: number, bad: readonly string[], out: string): string {
  const what = `${runs} ${runs === 1 ? 'run' : 'runs'} of ${seconds} s`;
  if (bad.length === 0) return `${what}: every promise kept`;
  const again = `npm run chaos -- --seed ${bad[0]} --seconds ${seconds}`;
  return `${what}: not well with ${bad.join(', ')}; what was seen is in ${out}. Again: ${again}`;
}

/** Where it comes from matters of what nobody expected. */
function textOf(error: Error): string {
  if (error instanceof UsageError) return `${error.message}\n\n${usage}`;
  return error instanceof Stopped || error instanceof NothingToJudge ? error.message : String(error.stack);
}

/** On stderr: what is printed on stdout is the verdict. */
function say(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${textOf(error as Error)}\n`);
  process.exit(1); // what was stopped may still wait for something
}
