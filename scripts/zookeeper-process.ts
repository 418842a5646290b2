// One ZooKeeper server as a child process: writes its configuration, starts it, proves that what answers on the port is
// this very server (by its data directory), and ends it. It ends with its parent, however that dies. Used by
// `npm start` and by the test harness, which differ in where the data is and how durable it has to be.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithParent } from './end-with-parent.ts';
import type { Command, ZooKeeperInstallation } from './zookeeper-installation.ts';

export interface ZooKeeperProcessOptions {
  readonly installation: ZooKeeperInstallation;
  /** Absolute; `data` and the configuration are made in it. */
  readonly dir: string;
  readonly port: number;
  /** Unique on this machine. */
  readonly name: string;
  /** More lines of zoo.cfg, or others instead of those that every server here has. */
  readonly config?: Readonly<Record<string, string | number>>;
  readonly jvmFlags?: readonly string[];
  readonly readyMsMax?: number;
}

export interface ZooKeeperProcess {
  readonly pid: number;
  /** What it printed, for an error message. */
  readonly output: () => string;
  readonly exited: Promise<void>;
  readonly hasExited: () => boolean;
  signal(signal: NodeJS.Signals): void;
}

/** The server ended before it was ready; most often somebody else has the port. */
export class ZooKeeperStartError extends Error {
  override readonly name = 'ZooKeeperStartError';
}

/**
 * For a server with few clients, as each of ours is: one thread reads and writes their sockets by itself, instead of handing
 * each packet from thread to thread, and the collector needs no threads of its own; nor are counters kept for `jstat`, for which
 * Java wakes up 20 times a second. That is a good part of what a task costs the server, and of what it takes at rest
 * (docs/performance.md, which also says for whom it is wrong).
 */
const fewClientsFlags = [
  '-XX:+UseSerialGC',
  '-XX:-UsePerfData',
  '-Dzookeeper.nio.numSelectorThreads=1',
  '-Dzookeeper.nio.numWorkerThreads=0',
];

/**
 * Found on the class path by distributions from 3.8 on, whose logger tells everything where nothing is configured: that took a good part
 * of the server's time. Debian's logger is told by a flag (zookeeper-installation.ts).
 */
const logWarningsConfig = `<configuration>
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>[%thread] %level %logger - %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="console"/></root>
</configuration>
`;

/** Writes its configuration, and says how to run the server. */
export function prepareZooKeeper(options: ZooKeeperProcessOptions): Command {
  const { installation, dir, name, jvmFlags = [] } = options;
  mkdirSync(join(dir, 'data'), { recursive: true });
  const configFile = join(dir, 'zoo.cfg');
  writeFileSync(configFile, configText(options));
  writeFileSync(join(dir, 'logback.xml'), logWarningsConfig);
  return installation.server({ configFile, dir, jvmFlags: [...fewClientsFlags, ...jvmFlags], name });
}

/** Starts the server; it may not be ready yet, see {@link waitUntilServing}. */
export async function spawnZooKeeper(options: ZooKeeperProcessOptions): Promise<ZooKeeperProcess> {
  const { installation, name } = options;
  const { command, args } = prepareZooKeeper(options);
  // Its own session: a Ctrl-C in the terminal is for the parent, which stops its children in the right order.
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child, 'spawn');
  const pid = child.pid as number;
  endWithParent(child);
  return {
    pid,
    output: lastOutput(child),
    exited: once(child, 'exit').then(() => undefined),
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    signal(signal) {
      const viaCommand = installation.signal(name, signal);
      if (viaCommand) spawnSync(viaCommand.command, viaCommand.args, { stdio: 'ignore' });
      else child.kill(signal);
    },
  };
}

function configText({ dir, port, config }: ZooKeeperProcessOptions): string {
  const lines = {
    dataDir: join(dir, 'data'),
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    maxClientCnxns: 0,
    'admin.enableServer': 'false',
    '4lw.commands.whitelist': '*',
    ...config,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function lastOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4096);
    });
  }
  return () => text;
}

/** Resolves once this server answers as one that serves; rejects with {@link ZooKeeperStartError}. */
export async function waitUntilServing(
  server: Pick<ZooKeeperProcess, 'hasExited' | 'output'>,
  options: Pick<ZooKeeperProcessOptions, 'port' | 'dir' | 'readyMsMax'>,
): Promise<void> {
  const { port, dir, readyMsMax = 30_000 } = options;
  const deadline = Date.now() + readyMsMax;
  const dataDir = `dataDir=${join(dir, 'data')}/`;
  while (!server.hasExited()) {
    const answer = await fourLetterWord(port, 'conf').catch(() => '');
    if (answer.includes(dataDir)) return;
    if (answer.includes('dataDir=')) throw new ZooKeeperStartError(`another ZooKeeper answers on port ${port}`);
    if (Date.now() > deadline) throw new ZooKeeperStartError(`ZooKeeper is not ready after ${readyMsMax} ms`);
    await delay(20);
  }
  throw new ZooKeeperStartError(`ZooKeeper ended at its start (port ${port}):\n${server.output()}`);
}

/** Asks a server on this machine one of ZooKeeper's four-letter words (`srvr`, `conf`, `cons`, `wchp`, ...). */
export function fourLetterWord(port: number, word: string, timeoutMs = 2000): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1', timeout: timeoutMs }, () => socket.write(word));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('timeout', () => socket.destroy(new Error(`no answer to ${word} within ${timeoutMs} ms`)));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}
