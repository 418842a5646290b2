// An ensemble of real ZooKeeper servers for tests that take one of them away.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePorts } from '../../scripts/ports.ts';
import type { TestScope } from './cleanup.ts';
import { createZooKeeper, type TestZooKeeper, type TestZooKeeperOptions } from './zookeeper-server.ts';

export interface TestEnsemble {
  /** All servers, separated by commas. */
  readonly connect: string;
  readonly servers: readonly TestZooKeeper[];
  leader(): Promise<TestZooKeeper>;
  followers(): Promise<TestZooKeeper[]>;
}

/** Resolves when every member serves. */
export async function startEnsemble(
  scope: TestScope,
  options: Omit<TestZooKeeperOptions, 'port'> & { readonly size?: number } = {},
): Promise<TestEnsemble> {
  const members = await distinctPorts(options.size ?? 3);
  const quorum = Object.fromEntries(
    members.map((member, i) => [`server.${i + 1}`, `127.0.0.1:${member.peer}:${member.election}`]),
  );
  const servers = members.map((member) =>
    createZooKeeper(scope, member.client, { ...options, extraConfig: { ...quorum, ...options.extraConfig } }),
  );
  for (const [i, server] of servers.entries()) {
    mkdirSync(server.dataDir, { recursive: true });
    writeFileSync(join(server.dataDir, 'myid'), String(i + 1));
  }
  await Promise.all(servers.map((server) => server.spawn()));
  await Promise.all(servers.map((server) => server.waitUntilServing()));
  const withRole = async (role: string) => {
    const answers = await Promise.all(servers.map((server) => server.fourLetterWord('srvr').catch(() => '')));
    return servers.filter((_, i) => answers[i]?.includes(`Mode: ${role}`));
  };
  return {
    connect: servers.map((server) => server.connect).join(','),
    servers,
    leader: async () => {
      const [leader] = await withRole('leader');
      if (!leader) throw new Error('the ensemble has no leader now');
      return leader;
    },
    followers: () => withRole('follower'),
  };
}

interface MemberPorts {
  readonly client: number;
  readonly peer: number;
  readonly election: number;
}

async function distinctPorts(members: number): Promise<MemberPorts[]> {
  const all = await findFreePorts(members * 3);
  return Array.from({ length: members }, (_, i) => {
    const [client = 0, peer = 0, election = 0] = all.slice(i * 3, i * 3 + 3);
    return { client, peer, election };
  });
}
