// The three ZooKeeper servers of a fleet, zookeeper1 to zookeeper3, each kept up as every process of it is: same ports and data in each
// life. Their links to each other are plain ones: a proxy answers for a server that is not listening yet, and elections then take ten times as long.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fourLetterWord, prepareZooKeeper } from '../../scripts/zookeeper-process.ts';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';
import { quickConfig, quickJvmFlags, requireInstallation } from '../../test/support/zookeeper-server.ts';
import { FleetProcess, type FleetProcessOptions } from './fleet-process.ts';
import type { NextPort } from './port-block.ts';

export type ServerMode = 'leader' | 'follower';

export interface EnsembleServer {
  readonly id: string;
  readonly port: number;
  readonly process: FleetProcess;
  /** True where a signal and a limit of the process are the server's own. */
  readonly isLocal: boolean;
  /** Null while it does not serve. */
  mode(): Promise<ServerMode | null>;
  /** A four-letter word; rejects where there is no answer in time. */
  ask(word: string): Promise<string>;
}

export interface EnsembleOptions extends FleetProcessOptions {
  /** Below it each server has its data; it stays. */
  readonly dataDir: string;
  readonly nextPort: NextPort;
}

const size = 3;
const answerMsMax = 500;
/** How long a follower and a leader that do not hear of each other go on: 2 s, about a session. */
const syncLimitTicks = 10;

/** Who looks for a leader asks the others that often at least; by default they wait for each other up to a minute. */
const electionFlags = ['-Dzookeeper.fastleader.maxNotificationInterval=400'];

/** Started, and not yet serving. */
export async function startEnsemble(scope: TestScope, options: EnsembleOptions): Promise<EnsembleServer[]> {
  const { nextPort } = options;
  const members: Member[] = [];
  for (let number = 1; number <= size; number++) {
    const ports = { client: await nextPort(), quorum: await nextPort(), election: await nextPort() };
    members.push({ id: `zookeeper${number}`, number, ...ports });
  }
  const servers = members.map((member) => createServer(member, members, options));
  for (const { process } of servers) {
    onCleanup(scope, () => process.end('SIGKILL'));
    process.start();
  }
  return servers;
}

interface Member {
  readonly id: string;
  readonly number: number;
  readonly client: number;
  readonly quorum: number;
  readonly election: number;
}

function createServer(own: Member, members: readonly Member[], options: EnsembleOptions): EnsembleServer {
  const quorum = members.map(({ number, quorum, election }) => [`server.${number}`, `127.0.0.1:${quorum}:${election}`]);
  const dir = join(options.dataDir, own.id);
  mkdirSync(join(dir, 'data'), { recursive: true });
  writeFileSync(join(dir, 'data', 'myid'), String(own.number));
  const installation = requireInstallation();
  const name = `taskkeeper-fleet-${process.pid}-${own.client}`;
  const config = { ...quickConfig, syncLimit: syncLimitTicks, ...Object.fromEntries(quorum) };
  const launch = { installation, dir, port: own.client, name, config, jvmFlags: [...quickJvmFlags, ...electionFlags] };
  const program = {
    ...{ id: own.id, role: 'zookeeper' as const, env: process.env },
    command: () => prepareZooKeeper(launch),
    signal: (signal: NodeJS.Signals) => installation.signal(name, signal),
  };
  const ask = (word: string) => fourLetterWord(own.client, word, answerMsMax);
  return {
    ...{ id: own.id, port: own.client, ask },
    process: new FleetProcess(program, options),
    isLocal: installation.signal(name, 'SIGCONT') === null,
    mode: async () => modeIn(await ask('srvr').catch(() => '')),
  };
}

function modeIn(answer: string): ServerMode | null {
  const mode = /^Mode: (leader|follower)$/m.exec(answer)?.[1];
  return (mode as ServerMode | undefined) ?? null;
}

/** By mode; those that do not serve are in none. */
export async function serversByMode<Server extends Pick<EnsembleServer, 'mode'>>(
  servers: readonly Server[],
): Promise<Record<ServerMode, Server[]>> {
  const modes = await Promise.all(servers.map((server) => server.mode()));
  const having = (mode: ServerMode) => servers.filter((_, i) => modes[i] === mode);
  return { leader: having('leader'), follower: having('follower') };
}
