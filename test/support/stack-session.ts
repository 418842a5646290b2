// A ZooKeeper session of the test's own: "a program with a ZooKeeper client" that looks at the tree of a stack, and writes
// into it what a person might.

import { Session } from '../../coordination/session.ts';
import type { Operation } from '../../coordination/zookeeper-requests.ts';
import { createLog } from '../../runtime/log.ts';
import { parseConnectString } from '../../runtime/zookeeper-config.ts';
import { Changes } from './changes.ts';
import { onCleanup, type TestScope } from './cleanup.ts';

export type TestSession = Session & {
  /** `data` undefined is empty data. Returns the path. */
  create(path: string, data?: string | Buffer, mode?: 'persistent' | 'ephemeral' | 'sequential'): Promise<string>;
  remove(path: string): Promise<void>;
  /** With everything below it. */
  removeAll(path: string): Promise<void>;
};

/** Resolves once it is connected; long-lived, so that no fault that a test makes ends it. */
export async function openSession(scope: TestScope, connect: string): Promise<TestSession> {
  const parsed = parseConnectString(connect);
  if (!parsed) throw new Error(`${connect} is no connect string`);
  const { servers, chroot } = parsed;
  const log = createLog('test', 'silent');
  const session = new Session({ servers, chroot, sessionTimeoutMs: 30_000, tls: null, digest: null, log });
  onCleanup(scope, () => session.close());
  const changes = new Changes();
  session.onState(() => changes.announce());
  await changes.until(
    () => (session.state === 'connected' ? true : null),
    15_000,
    (expired) => (expired ? new Error(`no ZooKeeper at ${connect}`) : null),
  );
  await session.ensureChroot();
  return Object.assign(session, verbs(session));
}

function verbs(session: Session) {
  const commit = (operation: Operation) => session.commit([operation]);
  const removeAll = async (path: string): Promise<void> => {
    const listed = await session.getChildren(path);
    await Promise.all((listed?.children ?? []).map((name) => removeAll(`${path}/${name}`)));
    if (listed) await commit({ kind: 'remove', path, version: null });
  };
  return {
    create: async (
      path: string,
      data: string | Buffer = '',
      mode: 'persistent' | 'ephemeral' | 'sequential' = 'persistent',
    ) => {
      const [result] = await commit({ kind: 'create', path, data: Buffer.from(data), mode });
      return result?.path ?? path;
    },
    remove: async (path: string) => {
      await commit({ kind: 'remove', path, version: null });
    },
    removeAll,
  };
}
