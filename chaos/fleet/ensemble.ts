// The three ZooKeeper servers of a fleet, zookeeper1 to zookeeper3, each kept up as every process of it is: same ports and data in each
// life. Their links to each other go over proxies, so that a follower can be cut off from its leader.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePorts } from '../../scripts/ports.ts';
import { fourLetterWord, prepareZooKeeper } from '../../scripts/zookeeper-process.ts';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';
import { quickConfig, quickJvmFlags, requireInstallation } from '../../test/support/zookeeper-server.ts';
import { FleetProcess, type FleetProcessOptions } from './fleet-process.ts';
import { type PeerLink, startPeerLink } from './peer-link.ts';

export type ServerMode = 'leader' | 'follower';

export interface EnsembleServer {
  readonly id: string;
  readonly port: number;
  readonly process: FleetProcess;
  /** Over which it follows whichever of the others leads. */
  readonly peerLinks: readonly PeerLink[];
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
}

const size = 3;
const answerMsMax = 500;
/** How long a follower and a leader that do not hear of each other go on: 2 s, about a session. */
const syncLimitTicks = 10;

/** Who looks for a leader asks the others that often at least; by default they wait for each other up to a minute. */
const electionFlags = ['-Dzookeeper.fastleader.maxNotificationInterval=400'];

/** Started, and not yet serving. */
export async function startEnsemble(scope: TestScope, options: EnsembleOptions): Promise<EnsembleServer[]> {
  const ports = await findFreePorts(3 * size);
  const members = ports.slice(0, size).map((client, i) => ({
    ...{ id: `zookeeper${i + 1}`, number: i + 1, client },
    ...{ quorum: ports[size + i] ?? 0, election: ports[2 * size + i] ?? 0 },
  }));
  const servers = await Promise.all(members.map((member) => createServer(scope, member, members, options)));
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

async function createServer(
  scope: TestScope,
  own: Member,
  members: readonly Member[],
  options: EnsembleOptions,
): Promise<EnsembleServer> {
  const peerLinks: PeerLink[] = [];
  const lines: [string, string][] = [];
  for (const member of members) {
    const link = member === own ? null : await startPeerLink(scope, member.quorum);
    if (link) peerLinks.push(link);
    lines.push([`server.${member.number}`, `127.0.0.1:${link?.port ?? member.quorum}:${member.election}`]);
  }
  const dir = join(options.dataDir, own.id);
  mkdirSync(join(dir, 'data'), { recursive: true });
  writeFileSync(join(dir, 'data', 'myid'), String(own.number));
  const installation = requireInstallation();
  const name = `taskkeeper-fleet-${process.pid}-${own.client}`;
  const config = { ...quickConfig, syncLimit: syncLimitTicks, ...Object.fromEntries(lines) };
  const launch = { installation, dir, port: own.client, name, config, jvmFlags: [...quickJvmFlags, ...electionFlags] };
  const program = {
    ...{ id: own.id, role: 'zookeeper' as const, env: process.env },
    command: () => prepareZooKeeper(launch),
    signal: (signal: NodeJS.Signals) => installation.signal(name, signal),
  };
  const ask = (word: string) => fourLetterWord(own.client, word, answerMsMax);
  return {
    ...{ id: own.id, port: own.client, peerLinks, ask },
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
export async function serversByMode(servers: readonly EnsembleServer[]): Promise<Record<ServerMode, EnsembleServer[]>> {
  const modes = await Promise.all(servers.map((server) => server.mode()));
  const having = (mode: ServerMode) => servers.filter((_, i) => modes[i] === mode);
  return { leader: having('leader'), follower: having('follower') };
}
