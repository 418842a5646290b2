// An ensemble of three of which one follower's link to the leader can be made silent or slow: a server that answers reads by
// itself, from what it knew some time ago.

import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { findFreePorts } from '../../scripts/ports.ts';
import { onCleanup, type TestScope } from './cleanup.ts';
import { createZooKeeper, type TestZooKeeper } from './zookeeper-server.ts';

export interface FollowerLink {
  /** Takes what is sent and passes nothing on. */
  silent: boolean;
  /** What the leader sends comes so much later. */
  lagMs: number;
}

export interface LinkedEnsemble {
  /** At the near end of the link. */
  readonly follower: TestZooKeeper;
  readonly leader: TestZooKeeper;
  readonly link: FollowerLink;
}

export async function startEnsembleWithLink(scope: TestScope): Promise<LinkedEnsemble> {
  const all = await findFreePorts(9);
  const member = (i: number) => ({ client: all[i] ?? 0, quorum: all[i + 3] ?? 0, election: all[i + 6] ?? 0 });
  const { port, link } = await startLink(scope, member(2).quorum);
  const servers = [0, 1, 2].map((own) => {
    const lines = [0, 1, 2].map((i) => {
      const quorum = own === 0 && i === 2 ? port : member(i).quorum;
      return [`server.${i + 1}`, `127.0.0.1:${quorum}:${member(i).election}`];
    });
    const server = createZooKeeper(scope, member(own).client, { extraConfig: Object.fromEntries(lines) });
    mkdirSync(server.dataDir, { recursive: true });
    writeFileSync(join(server.dataDir, 'myid'), String(own + 1));
    return server;
  });
  const [follower, second, leader] = servers;
  if (!follower || !second || !leader) throw new Error('three servers were made');
  // The two that make a quorum choose the one with the higher id; who comes later follows.
  await Promise.all([second.spawn(), leader.spawn()]);
  await Promise.all([second.waitUntilServing(), leader.waitUntilServing()]);
  await follower.spawn();
  await follower.waitUntilServing();
  if (!/Mode: leader/.test(await leader.fourLetterWord('srvr'))) throw new Error('another server leads');
  return { follower, leader, link };
}

/** A proxy for any bytes. */
async function startLink(scope: TestScope, target: number): Promise<{ port: number; link: FollowerLink }> {
  const link: FollowerLink = { silent: false, lagMs: 0 };
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    passOn(near, far, link, () => 0);
    passOn(far, near, link, () => link.lagMs);
    sockets.push(near, far);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onCleanup(scope, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as { port: number }).port, link };
}

/** In order, also where the lag has become shorter meanwhile. */
function passOn(from: Socket, to: Socket, link: FollowerLink, lagMs: () => number): void {
  let last = Promise.resolve();
  const later = (work: () => void) => {
    const wait = lagMs() === 0 ? null : new Promise((resolve) => setTimeout(resolve, lagMs()));
    last = Promise.all([last, wait]).then(work);
  };
  from.on('data', (bytes) => later(() => !link.silent && to.write(bytes)));
  from.on('error', () => undefined); // 'close' follows
  from.on('close', () => later(() => !link.silent && to.destroy()));
}
