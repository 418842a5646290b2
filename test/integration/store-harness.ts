// Gateways' task stores for tests, as a gateway has them: one session after the other on a real ZooKeeper, directly or
// through a fault proxy; and a person's session beside them.

import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Session } from '../../coordination/session.ts';
import { runSessions } from '../../coordination/session-loop.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId } from '../../domain/task.ts';
import { ZooKeeperTaskStore } from '../../gateway/store/zookeeper-task-store.ts';
import { type Reachable, sessionOptions } from '../fault/session-harness.ts';
import { onCleanup } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { openSession, type TestSession } from '../support/stack-session.ts';
import { opcodes } from '../support/zookeeper-frames.ts';

export interface StoreOptions {
  readonly chroot: string;
  readonly sessionTimeoutMs?: number;
  readonly unfinishedTasksMax?: number;
}

/** Resolves when the store is ready; it goes on from session to session until the test ends. */
export async function startStore(
  t: TestContext,
  servers: Reachable | readonly Reachable[],
  { chroot, sessionTimeoutMs = 10_000, unfinishedTasksMax = 100_000 }: StoreOptions,
  onSession: (session: Session) => void = () => undefined,
): Promise<ZooKeeperTaskStore> {
  const store = new ZooKeeperTaskStore(unfinishedTasksMax, () => undefined);
  const stop = new AbortController();
  const options = { ...sessionOptions(servers), chroot, sessionTimeoutMs };
  const ended = runSessions(options, stop.signal, (session: Session) => {
    onSession(session);
    return store.serve(session, stop.signal);
  });
  onCleanup(t, async () => {
    stop.abort();
    await ended;
  });
  await eventually('the store is ready', () => store.isReady());
  return store;
}

export interface ProxiedStore {
  readonly store: ZooKeeperTaskStore;
  readonly proxy: FaultProxy;
  /** Past the proxy. */
  readonly session: TestSession;
  /** Of another gateway, past the proxy. */
  readonly other: ZooKeeperTaskStore;
  readonly chroot: string;
  /** Of the store, the present one last. */
  readonly sessions: readonly Session[];
  /** Names below a path, sorted. */
  names(path: string): Promise<string[]>;
}

/** A tree of its own, a store behind a proxy, another one beside it and a person's session. */
export async function proxiedStore(
  t: TestContext,
  zookeeper: Reachable & { readonly connect: string },
  options: Partial<StoreOptions> = {},
): Promise<ProxiedStore> {
  const { chroot = `/store-${randomBytes(4).toString('hex')}`, ...rest } = options;
  const proxy = await startFaultProxy(t, zookeeper);
  const session = await openSession(t, `${zookeeper.connect}${chroot}`);
  const sessions: Session[] = [];
  const store = await startStore(t, proxy, { chroot, ...rest }, (begun) => sessions.push(begun));
  const other = await startStore(t, zookeeper, { chroot, ...rest, sessionTimeoutMs: 10_000 });
  const names = async (path: string) => (await session.getChildren(path))?.children.sort() ?? [];
  return { store, other, proxy, session, sessions, chroot, names };
}

/** Transactions that name `path`. */
export function writesTo(path: string): (opcode: number, request: Buffer) => boolean {
  return (opcode, request) => opcode === opcodes.multi && request.includes(path);
}

/** Resolves when a transaction that names `path` stands before the server and cannot go on: until `proxy.heal()`. */
export async function heldBefore(proxy: FaultProxy, path: string): Promise<void> {
  const matches = writesTo(path);
  await proxy.nextFrame(({ direction, opcode, body }) => {
    const isIt = direction === 'toServer' && opcode !== null && matches(opcode, body);
    if (isIt) proxy.silence('toServer');
    return isIt;
  });
}

/** A person says that it is done. */
export async function finish(session: TestSession, id: TaskId, text = 'done'): Promise<void> {
  await session.create(paths.status(id), text);
}
