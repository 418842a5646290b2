// The session of an audit: it waits for a server no longer than it was told to, and says what is wrong and what to do about it. Nothing is
// created, neither parents nor a chroot.

import { Session } from '../coordination/session.ts';
import { sessionOptions } from '../coordination/session-options.ts';
import { parentPaths } from '../coordination/znode-paths.ts';
import { formatAddress } from '../runtime/environment.ts';
import { createLog } from '../runtime/log.ts';
import type { ZooKeeperConfig } from '../runtime/zookeeper-config.ts';

/** There is nothing that could be audited. The message is for people: why, and what they can do. */
export class NoTree extends Error {
  override readonly name = 'NoTree';
}

/** Resolves with a session in which there is a tree of ours. Throws {@link NoTree}. */
export async function openTree(config: ZooKeeperConfig, waitMs: number): Promise<Session> {
  const troubles: string[] = [];
  const log = createLog('audit', 'warn', { write: (line) => troubles.push(JSON.parse(line).why) });
  const session = new Session(sessionOptions(config, log));
  try {
    await session.nextState(waitMs);
    if (session.state !== 'connected') throw new NoTree(noServer(config, waitMs, troubles.at(-1)));
    await requireTree(session, config);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

function noServer({ connect }: ZooKeeperConfig, waitMs: number, why: string | undefined): string {
  const servers = connect.servers.map(({ host, port }) => formatAddress(host, port)).join(',');
  const last = why ? ` The last trouble: ${why}.` : '';
  const hint = 'Is ZOOKEEPER_CONNECT right, is the ensemble up with a quorum, and do TLS and credentials fit?';
  return `no ZooKeeper session at ${servers} within ${waitMs / 1000} s.${last}\n${hint} --wait makes it wait longer.`;
}

async function requireTree(session: Session, { connect: { chroot } }: ZooKeeperConfig): Promise<void> {
  const found = await Promise.all(['/', ...parentPaths].map((path) => session.exists(path)));
  const [root, ...parents] = found;
  const where = chroot === '' ? 'at the root' : `below ${chroot}`;
  const hint = 'Has ZOOKEEPER_CONNECT the chroot that the processes have? Nothing was created.';
  if (!root) throw new NoTree(`there is no ${chroot}: no process of Taskkeeper has ever been there.\n${hint}`);
  if (parents.every((stat) => stat === null)) throw new NoTree(`there is no tree of Taskkeeper ${where}.\n${hint}`);
}
