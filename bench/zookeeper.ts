// A ZooKeeper to measure with: durable, with the ticks and the flags that `npm start` gives it, and its data in the project's own
// folder, since a temporary one may be in memory, where fsync costs nothing.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureZooKeeper } from '../scripts/ensure-zookeeper.ts';
import { findFreePort } from '../scripts/ports.ts';
import { fourLetterWord, spawnZooKeeper, waitUntilServing } from '../scripts/zookeeper-process.ts';
import { onCleanup, type TestScope } from '../test/support/cleanup.ts';

export interface BenchZooKeeper {
  readonly connect: string;
  readonly port: number;
  readonly pid: number;
}

export const benchFolder = fileURLToPath(new URL('../../.taskkeeper/bench', import.meta.url));

/** With room for some hundred thousand tasks. `config`: more lines of zoo.cfg, or others. */
export async function startBenchZooKeeper(
  scope: TestScope,
  config: Readonly<Record<string, number>> = {},
): Promise<BenchZooKeeper> {
  mkdirSync(benchFolder, { recursive: true });
  const dir = mkdtempSync(join(benchFolder, 'zookeeper-'));
  const port = await findFreePort();
  const options = {
    installation: ensureZooKeeper(),
    ...{ dir, port, name: `taskkeeper-bench-${port}` },
    config: { tickTime: 500, ...config },
    jvmFlags: ['-Xmx1g'],
  };
  const server = await spawnZooKeeper(options);
  onCleanup(scope, async () => {
    server.signal('SIGKILL');
    await server.exited;
    rmSync(dir, { recursive: true, force: true });
  });
  await waitUntilServing(server, options);
  return { connect: `127.0.0.1:${port}`, port, pid: server.pid };
}

/** `3.8.0` */
export async function versionOf({ port }: BenchZooKeeper): Promise<string> {
  return /version: ([\d.]+)/.exec(await fourLetterWord(port, 'srvr'))?.[1] ?? 'unknown';
}
