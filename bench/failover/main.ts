// `npm run failover`: ends processes of this working tree on this machine, one after the other and again and again, and measures how
// long it takes until another does their work. Prints one JSON line for each figure and a table, as `npm run bench` does.

import type { TestScope } from '../../test/support/cleanup.ts';
import { startEnsemble, type TestEnsemble } from '../../test/support/zookeeper-ensemble.ts';
import { runCommand, say, withScope } from '../command.ts';
import { Figures } from '../figures.ts';
import { describeMachine, machineLine } from '../machine.ts';
import { report } from '../report.ts';
import { startBenchZooKeeper, versionOf } from '../zookeeper.ts';
import { type Failover, startFailover } from './failover-stack.ts';
import { leaderKilled, leaderStopped } from './leader.ts';
import { type FailoverSizes, type Part, readFailoverOptions, usage } from './options.ts';
import { serverKilled, serverLeaderKilled } from './server.ts';
import { workerKilled, workerStopped } from './worker.ts';

type Work = (failover: Failover) => Promise<void>;
type EnsembleWork = (failover: Failover, ensemble: TestEnsemble) => Promise<void>;
type Tools = Parameters<typeof startFailover>[3];

const sessionMsMax = 60_000;

const onServer: Readonly<Partial<Record<Part, Work>>> = {
  'leader-killed': leaderKilled,
  'leader-stopped': leaderStopped,
  'worker-killed': workerKilled,
  'worker-stopped': workerStopped,
};
const onEnsemble: Readonly<Partial<Record<Part, EnsembleWork>>> = {
  'server-killed': serverKilled,
  'server-leader-killed': serverLeaderKilled,
};

async function main(): Promise<void> {
  const options = readFailoverOptions(process.argv.slice(2));
  if (options === null) return console.log(usage);
  const { parts, sizes, out } = options;
  const figures = new Figures();
  const zookeeper = await withScope(async (scope) => versionOf(await startBenchZooKeeper(scope)));
  const head = { machine: describeMachine(zookeeper), sizes };
  say(machineLine(head.machine));
  const tools = { sizes, figures, say };
  try {
    for (const backlog of sizes.backlogs) {
      await withScope((scope) => measureOnServer(scope, parts, backlog, tools));
      await withScope((scope) => measureOnEnsemble(scope, parts, backlog, tools));
    }
  } finally {
    // Also of a run that was ended: what it measured, it measured.
    if (figures.list.length > 0) report(head, figures.list, out);
  }
}

async function measureOnServer(scope: TestScope, parts: readonly Part[], backlog: number, tools: Tools): Promise<void> {
  const works = chosen(onServer, parts);
  if (works.length === 0) return;
  const zookeeper = await startBenchZooKeeper(scope, quorumConfig(tools.sizes));
  const failover = await startFailover(scope, zookeeper, backlog, tools);
  for (const work of works) await work(failover);
}

async function measureOnEnsemble(
  scope: TestScope,
  parts: readonly Part[],
  backlog: number,
  tools: Tools,
): Promise<void> {
  const works = chosen(onEnsemble, parts);
  if (works.length === 0) return;
  // Each commit is forced to the disk, as in use.
  const jvmFlags = ['-Xmx1g', '-Dzookeeper.forceSync=yes'];
  const ensemble = await startEnsemble(scope, { extraConfig: quorumConfig(tools.sizes), jvmFlags });
  const failover = await startFailover(scope, ensemble, backlog, tools);
  for (const work of works) await work(failover, ensemble);
}

/** In the order of a whole run. */
function chosen<T>(works: Readonly<Partial<Record<Part, T>>>, parts: readonly Part[]): T[] {
  return parts.flatMap((part) => works[part] ?? []);
}

/** Sessions as long as they are asked for. */
function quorumConfig({ tickMs }: FailoverSizes): Readonly<Record<string, number>> {
  return { tickTime: tickMs, maxSessionTimeout: sessionMsMax };
}

await runCommand(usage, main);
