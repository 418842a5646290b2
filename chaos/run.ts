// One chaos run: traffic on a fleet, failures drawn from the seed, and then quiet: everything is made whole again, what is unfinished gets its time,
// and what is left is looked at. All that is seen goes into the report's folder; judging is somebody else's.

import { setTimeout as delay } from 'node:timers/promises';
import { readTree } from '../audit/tree-reader.ts';
import type { TreeSnapshot } from '../audit/tree-snapshot.ts';
import type { TestScope } from '../test/support/cleanup.ts';
import { eventually } from '../test/support/eventually.ts';
import { RunScope } from '../test/support/run-scope.ts';
import { ensembleBugsIn } from './evidence/ensemble-bugs.ts';
import { evidenceFile, writeEvidenceHandlers } from './evidence/evidence-modules.ts';
import { describeFault, drawFaults } from './faults/plan.ts';
import { runFaults } from './faults/run-faults.ts';
import { defaultShape, type Fleet, type FleetShape, startFleet } from './fleet/fleet.ts';
import { holdingsOf, leftoversOf } from './fleet/holdings.ts';
import { now } from './moment.ts';
import { picturesOf } from './pictures.ts';
import { Random } from './random.ts';
import type { Picture } from './record.ts';
import { ReportFolder } from './report.ts';
import { startTraffic, type Traffic } from './traffic/traffic.ts';

export interface ChaosRun {
  readonly seed: string;
  /** How long things are broken. */
  readonly seconds: number;
  /** Of the report; emptied. */
  readonly folder: string;
  readonly shape?: FleetShape;
  /** Clients that come in a second. */
  readonly perSecond?: number;
  /** At its end each process gets so long to let go of what it keeps for a while. Default: longer than idle threads of workers stay. */
  readonly restMsMax?: number;
  /** Told how far it is. */
  readonly say: (progress: string) => void;
}

/** A signal asked for the end. */
export class Stopped extends Error {}

const sessionTimeoutMs = 2000;
const drainMsMax = 120_000;
const restMsMaxDefault = 40_000;
/** The leading master writes `/backlog` once a second. */
const backlogMs = 1500;
const looksMax = 5;
const signals = ['SIGINT', 'SIGTERM'] as const;

/** Resolves when the report is complete. Everything that was started is ended, however it goes. */
export async function runChaos(run: ChaosRun): Promise<void> {
  const scope = new RunScope();
  const report = new ReportFolder(run.folder);
  const stopped = new Promise<never>((_, reject) => {
    for (const signal of signals) process.once(signal, () => reject(new Stopped(`${signal}: everything is ended`)));
  });
  try {
    await Promise.race([breakAndMend(scope, report, run), stopped]);
  } catch (error) {
    // What was just being started says that it was not.
    if (error instanceof Stopped) await scope.close().catch(() => undefined);
    throw error;
  } finally {
    for (const signal of signals) process.removeAllListeners(signal);
    await scope.close();
    report.close();
  }
}

async function breakAndMend(scope: TestScope, report: ReportFolder, run: ChaosRun): Promise<void> {
  const { seed, seconds, shape = defaultShape, say } = run;
  const random = new Random(seed);
  report.write({ kind: 'began', at: now(), epochMs: Date.now(), seed, sessionTimeoutMs });
  say(`seed ${seed}: starting ${Object.entries(shape).map(([role, count]) => `${count} ${role}`)}`);
  const fleet = await startFleet(scope, {
    ...shape,
    sessionTimeoutMs,
    workerEnv: {
      ...{ HANDLERS_DIR: writeEvidenceHandlers(report.path), SHELL_HANDLER: 'on' },
      WORKER_DRAIN_GRACE_MS: '300', // so that one that is told to stop has something to hand back
    },
    reportDir: report.path,
    record: report.write,
  });
  const before = await holdingsOf(fleet);
  const plan = drawFaults(
    random.fork('faults'),
    seconds,
    { master: shape.masters, worker: shape.workers, gateway: shape.gateways, zookeeper: fleet.servers.length },
    sessionTimeoutMs,
  );
  report.writeText('plan.txt', plan.map((fault) => `${describeFault(fault)}\n`).join(''));
  const clients = new RunScope();
  scope.after(() => clients.close());
  const traffic = startTraffic(clients, {
    ...{ gateways: fleet.gateways, random: random.fork('traffic'), record: report.write },
    ...{ evidence: evidenceFile(report.path), ...(run.perSecond && { perSecond: run.perSecond }) },
  });
  const skipped = await runFaults(fleet, plan, report.write, new AbortController().signal);
  for (const { planned, why } of skipped) say(`left out: ${describeFault(planned)}: ${why}`);
  say(
    `${plan.length - skipped.length} faults over: ${JSON.stringify(traffic.counts)} calls; now everything has to come to its end`,
  );
  await comeToRest(fleet, traffic, say);
  const ended = { kind: 'ended', at: now(), epochMs: Date.now() } as const;
  const { tree, pictures } = await lookAround(fleet);
  report.writeTree(tree);
  for (const entry of [...pictures, ...ensembleBugsIn(report.logs)]) report.write(entry);
  await clients.close();
  for (const entry of await leftoversOf(fleet, before, run.restMsMax ?? restMsMaxDefault)) report.write(entry);
  report.write(ended);
}

async function comeToRest(fleet: Fleet, traffic: Traffic, say: ChaosRun['say']): Promise<void> {
  await fleet.settle();
  await traffic.stop();
  const open = await traffic.drain(drainMsMax);
  for (const { id, state } of open)
    say(`${id} is ${state ?? 'not to be seen'} after ${drainMsMax / 1000} s without faults`);
  await delay(backlogMs);
}

/** Again where they differ: on a busy machine a worker may have lost its session between the two looks. */
async function lookAround(fleet: Fleet): Promise<{ tree: TreeSnapshot; pictures: Picture[] }> {
  for (let looks = 1; ; looks++) {
    const tree = await lookAtTree(fleet);
    const pictures = await picturesOf(fleet, tree);
    if (looks === looksMax || pictures.every(({ differences }) => differences.length === 0)) return { tree, pictures };
  }
}

function lookAtTree({ observer }: Fleet): Promise<TreeSnapshot> {
  return eventually('the tree can be read', async () => {
    const { session } = observer;
    return session && (await readTree(session, (data) => data)); // results, too: they say which run they are from
  });
}
