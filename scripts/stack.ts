// The processes of `npm start`: what each is run with, when all of them are ready, and the order in which they end. Everything
// listens on loopback, whatever HOST says, since a worker with the shell handler runs any command that a task asks for.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreePort } from './ports.ts';
import type { StartOptions } from './start-options.ts';
import { type ProcessSpec, SupervisedProcess, type SupervisorEvents } from './supervised-process.ts';
import type { ZooKeeperInstallation } from './zookeeper-installation.ts';
import { prepareZooKeeper, waitUntilServing } from './zookeeper-process.ts';

const dist = fileURLToPath(new URL('..', import.meta.url));
const loopback = '127.0.0.1';
const readyMsMax = 60_000;
/** Sessions of 1 s and more are possible; old snapshots are removed by the hour. */
const zookeeperConfig = { tickTime: 500, 'autopurge.snapRetainCount': 3, 'autopurge.purgeInterval': 1 };

interface Member {
  readonly process: SupervisedProcess;
  readonly readyUrl: string;
}

export class Stack {
  #zookeeper: SupervisedProcess | null = null;
  #masters: Member[] = [];
  #workers: Member[] = [];
  #gateways: Member[] = [];

  constructor(
    private readonly options: StartOptions,
    private readonly events: SupervisorEvents,
  ) {}

  /** Its own server, with the data in `dir`; resolves when it serves. */
  async startZooKeeper(
    installation: ZooKeeperInstallation,
    dir: string,
    port: number,
    stop: AbortSignal,
  ): Promise<void> {
    const server = {
      installation,
      dir,
      port,
      name: `taskkeeper-${port}`,
      config: zookeeperConfig,
      jvmFlags: ['-Xmx512m'],
    };
    // When the parent is gone the services stop first: they end their sessions.
    const ending = { stopMsMax: 10_000, orphanDelaySeconds: 3 };
    const spec = { name: 'zookeeper', ...prepareZooKeeper(server), env: process.env, ...ending };
    this.#zookeeper = new SupervisedProcess(spec, this.events);
    this.#zookeeper.start();
    await waitUntilServing({ hasExited: () => stop.aborted, output: () => '' }, server);
  }

  /** Resolves when each answers that it is ready, or with `stop`; rejects where that takes too long. */
  async startServices(stop: AbortSignal): Promise<void> {
    const { httpPort, grpcPort, zookeeperPort } = this.options;
    // Ids of their own in an ensemble that others may use too.
    const named = (variable: string, name: string) => (zookeeperPort === null ? {} : { [variable]: name });
    this.#masters = await Promise.all(
      ['master-1', 'master-2'].map((name) =>
        this.#withAdmin(name, 'services/master/main.js', named('MASTER_ID', name)),
      ),
    );
    this.#workers = await Promise.all(
      ['worker-1', 'worker-2'].map((name) =>
        this.#withAdmin(name, 'services/worker/main.js', {
          ...named('WORKER_ID', name),
          SHELL_HANDLER: process.env['SHELL_HANDLER'] || 'on',
        }),
      ),
    );
    const ports = { HTTP_PORT: String(httpPort), GRPC_PORT: String(grpcPort) };
    this.#gateways = [this.#member('gateway', 'gateway/main.js', ports, httpPort)];
    const members = this.#services();
    for (const { process } of members) process.start();
    await Promise.all(members.map((member) => untilReady(member, stop)));
  }

  /** The gateway first, so that nothing new comes in; ZooKeeper last, which all others need to stop cleanly. */
  async stop(): Promise<void> {
    for (const stage of [this.#gateways, this.#workers, this.#masters]) {
      await Promise.all(stage.map(({ process }) => process.stop()));
    }
    await this.#zookeeper?.stop();
  }

  /** Names and process numbers, for people who want to kill one. */
  describe(): string {
    const processes = [
      ...(this.#zookeeper ? [this.#zookeeper] : []),
      ...this.#services().map(({ process }) => process),
    ];
    return processes.map(({ name, pid }) => `${name} ${pid}`).join(', ');
  }

  kill(): void {
    for (const { process } of this.#services()) process.kill();
    this.#zookeeper?.kill();
  }

  #services(): Member[] {
    return [...this.#masters, ...this.#workers, ...this.#gateways];
  }

  async #withAdmin(name: string, entry: string, env: NodeJS.ProcessEnv): Promise<Member> {
    const port = await findFreePort();
    return this.#member(name, entry, { ...env, ADMIN_PORT: String(port) }, port);
  }

  #member(name: string, entry: string, env: NodeJS.ProcessEnv, readyPort: number): Member {
    const everywhere = { HOST: loopback, ADVERTISED_HOST: loopback, ZOOKEEPER_CONNECT: this.options.zookeeperConnect };
    const spec: ProcessSpec = {
      name,
      command: process.execPath,
      args: ['--enable-source-maps', join(dist, entry)],
      env: { ...process.env, ...everywhere, ...env },
      stopMsMax: 60_000,
    };
    const readyUrl = `http://${loopback}:${readyPort}/readyz`;
    return { process: new SupervisedProcess(spec, this.events), readyUrl };
  }
}

async function untilReady({ process, readyUrl }: Member, stop: AbortSignal): Promise<void> {
  const deadline = performance.now() + readyMsMax;
  while (!stop.aborted) {
    const answer = await fetch(readyUrl, { signal: AbortSignal.timeout(2000) }).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (performance.now() > deadline) throw new Error(`${process.name} is not ready after ${readyMsMax / 1000} s`);
    await delay(100);
  }
}
