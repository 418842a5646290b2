// Real ZooKeeper servers for tests: fresh port, fresh folder, quick ticks so that short sessions are granted (400 ms up),
// and proof that the server that answers is the one that was started. Ended and removed with the scope.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../scripts/ports.ts';
import { findZooKeeper, type ZooKeeperInstallation } from '../../scripts/zookeeper-installation.ts';
import {
  fourLetterWord,
  spawnZooKeeper,
  waitUntilServing,
  type ZooKeeperProcess,
  ZooKeeperStartError,
} from '../../scripts/zookeeper-process.ts';
import { onCleanup, type TestScope } from './cleanup.ts';

export interface TestZooKeeperOptions {
  /** Default a free one; a given one that is taken is an error. */
  readonly port?: number;
  /** More lines of zoo.cfg, or others instead of the harness's. */
  readonly extraConfig?: Readonly<Record<string, string | number>>;
  /** `-Djute.maxbuffer=...` and the like. */
  readonly jvmFlags?: readonly string[];
}

export interface TestZooKeeper {
  /** `127.0.0.1:port`, with `/` and a chroot to be added where wanted. */
  readonly connect: string;
  readonly port: number;
  /** Of the present life. */
  readonly pid: number;
  readonly dataDir: string;
  /** SIGTERM, then waits for the end; the data stays. */
  stop(): Promise<void>;
  /** Any signal that ends it, then waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** After stop or kill: same port, same data; ready when it resolves. */
  start(): Promise<void>;
  /** kill -9 and start. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  fourLetterWord(word: string, timeoutMs?: number): Promise<string>;
}

export interface Life extends TestZooKeeper {
  /** Starts it without waiting until it serves, which a member of an ensemble does only with others. */
  spawn(): Promise<void>;
  waitUntilServing(): Promise<void>;
}

/** Of zoo.cfg. */
export const quickConfig = {
  tickTime: 200,
  minSessionTimeout: 400,
  maxSessionTimeout: 60_000,
  initLimit: 50,
  syncLimit: 20,
};
/** No fsync: what a killed server wrote is in the page cache all the same. First-tier only: starts fastest. */
export const quickJvmFlags = [
  ...['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true'],
  ...['-Dzookeeper.forceSync=no', '-Dzookeeper.preAllocSize=1024'],
];

/** Starts one server and resolves when it serves. */
export async function startZooKeeper(scope: TestScope, options: TestZooKeeperOptions = {}): Promise<TestZooKeeper> {
  for (let tries = 1; ; tries++) {
    const server = createZooKeeper(scope, options.port ?? (await findFreePort()), options);
    try {
      await server.start();
      return server;
    } catch (error) {
      // Somebody took the port between our looking and our listening.
      if (!(error instanceof ZooKeeperStartError) || options.port !== undefined || tries === 3) throw error;
    }
  }
}

/** A server that is not running yet. */
export function createZooKeeper(scope: TestScope, port: number, options: TestZooKeeperOptions = {}): Life {
  const installation = requireInstallation();
  const dir = mkdtempSync(join(tmpdir(), 'taskkeeper-zookeeper-'));
  const processOptions = {
    installation,
    dir,
    port,
    name: `taskkeeper-test-${process.pid}-${port}`,
    config: { ...quickConfig, ...options.extraConfig },
    jvmFlags: [...quickJvmFlags, ...(options.jvmFlags ?? [])],
  };
  let present: ZooKeeperProcess | null = null;
  const running = (): ZooKeeperProcess => {
    if (!present) throw new Error('this ZooKeeper has not been started');
    return present;
  };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (!present || present.hasExited()) return;
    present.signal(signal);
    if (signal !== 'SIGKILL') present.signal('SIGCONT');
    await present.exited;
  };
  const server: Life = {
    connect: `127.0.0.1:${port}`,
    port,
    dataDir: join(dir, 'data'),
    get pid() {
      return running().pid;
    },
    stop: () => kill('SIGTERM'),
    kill,
    spawn: async () => {
      present = await spawnZooKeeper(processOptions);
    },
    waitUntilServing: () => waitUntilServing(running(), processOptions),
    start: async () => {
      await server.spawn();
      await server.waitUntilServing();
    },
    restart: async () => {
      await kill();
      await server.start();
    },
    pause: () => running().signal('SIGSTOP'),
    resume: () => running().signal('SIGCONT'),
    fourLetterWord: (word, timeoutMs) => fourLetterWord(port, word, timeoutMs),
  };
  onCleanup(scope, async () => {
    await kill();
    rmSync(dir, { recursive: true, force: true });
  });
  return server;
}

export function requireInstallation(): ZooKeeperInstallation {
  const installation = findZooKeeper();
  if (!installation) throw new Error('no ZooKeeper on this machine: `npm test` installs one');
  return installation;
}
