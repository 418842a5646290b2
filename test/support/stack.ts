// The whole system on one ZooKeeper: masters, workers and gateways as real processes, each directly or through a fault
// proxy of its own, on free ports, ready when it resolves. Everything ends with the scope, and what crashed before fails it.

import { randomBytes } from 'node:crypto';
import { onCleanup, type TestScope } from './cleanup.ts';
import { eventually } from './eventually.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { type Exit, type ServiceProcess, startService } from './process.ts';
import { openSession, type TestSession } from './stack-session.ts';
import { TaskClient } from './task-client.ts';

/** Short, so that the death of a process is known soon, and long enough for a busy two-core machine. */
export const stackSessionMs = 1500;
/** For tests in which nobody dies: no burst of work on a small machine ends a session. */
export const calmSessionMs = 6000;

type Environment = Readonly<Record<string, string | number>>;

export interface StackOptions {
  readonly masters?: number;
  readonly workers?: number;
  readonly gateways?: number;
  readonly sessionTimeoutMs?: number;
  /** Environment of all masters, workers, gateways. */
  readonly master?: Environment;
  readonly worker?: Environment;
  readonly gateway?: Environment;
}

export interface Process {
  readonly id: string;
  readonly process: ServiceProcess;
  /** Null where it connects directly. */
  readonly proxy: FaultProxy | null;
}

export interface Gateway extends Process {
  readonly client: TaskClient;
  /** `host:port`. */
  readonly grpcAddress: string;
}

/** A ZooKeeper that a process can be proxied to has a port; an ensemble has none. */
export interface StackZooKeeper {
  readonly connect: string;
  readonly port?: number;
}

/** Resolves when every process is registered, one master leads and the gateways are ready. */
export async function startStack(
  scope: TestScope,
  zookeeper: StackZooKeeper,
  options: StackOptions = {},
): Promise<Stack> {
  const stack = new Stack(scope, zookeeper, options);
  const { masters = 1, workers = 1, gateways = 1 } = options;
  const times = (count: number) => Array.from({ length: count });
  await Promise.all([
    ...times(masters).map(() => stack.addMaster()),
    ...times(workers).map(() => stack.addWorker()),
    ...times(gateways).map(() => stack.addGateway()),
  ]);
  if (masters > 0) await stack.leader();
  return stack;
}

export class Stack {
  readonly masters: Process[] = [];
  readonly workers: Process[] = [];
  readonly gateways: Gateway[] = [];
  /** A tree of its own in the given ZooKeeper. */
  readonly chroot = `/stack-${randomBytes(4).toString('hex')}`;
  #session: Promise<TestSession> | null = null;
  readonly #started = new Map<string, number>();

  constructor(
    readonly scope: TestScope,
    private readonly zookeeper: StackZooKeeper,
    private readonly options: StackOptions,
  ) {}

  /** With the chroot, for zkCli and other clients. */
  get connect(): string {
    return `${this.zookeeper.connect}${this.chroot}`;
  }

  /** HTTP on the first gateway. */
  get client(): TaskClient {
    return this.gateway.client;
  }

  get gateway(): Gateway {
    const [first] = this.gateways;
    if (!first) throw new Error('this stack has no gateway');
    return first;
  }

  /** A session of the test's own, past every proxy. */
  get session(): Promise<TestSession> {
    this.#session ??= openSession(this.scope, this.connect);
    return this.#session;
  }

  async addMaster(env: Environment = {}, proxied = false): Promise<Process> {
    const id = this.#nextId('master');
    const own = { ...this.options.master, MASTER_ID: id, ...env };
    const master = { id, ...(await this.#start('master', proxied, own)) };
    this.masters.push(master);
    await master.process.waitForLog(/the picture is complete/);
    return master;
  }

  async addWorker(env: Environment = {}, proxied = false): Promise<Process> {
    const id = this.#nextId('ours');
    const own = { SHELL_HANDLER: 'on', ...this.options.worker, WORKER_ID: id, ...env };
    const worker = { id, ...(await this.#start('worker', proxied, own)) };
    this.workers.push(worker);
    await worker.process.waitForLog(/^registered$/);
    return worker;
  }

  async addGateway(env: Environment = {}, proxied = false): Promise<Gateway> {
    const own = { HTTP_PORT: 0, GRPC_PORT: 0, ...this.options.gateway, ...env };
    const { process, proxy } = await this.#start('gateway', proxied, own);
    const started = await process.waitForLog(/^started$/);
    const client = new TaskClient(`http://${started['http']}`);
    const gateway = {
      ...{ id: this.#nextId('gateway'), process, proxy },
      ...{ client, grpcAddress: String(started['grpc']) },
    };
    this.gateways.push(gateway);
    await client.ready();
    return gateway;
  }

  /** The master that leads now, as `/master` says. */
  leader(timeoutMs = 15_000): Promise<Process> {
    return eventually(
      'a master leads',
      async () => {
        const master = await (await this.session).getData('/master');
        const address = master?.data.toString();
        return this.masters.find(({ process }) => process.logs.some((line) => line['admin'] === address));
      },
      timeoutMs,
    );
  }

  async standby(): Promise<Process> {
    const leader = await this.leader();
    const standby = this.masters.find((master) => master !== leader);
    if (!standby) throw new Error('this stack has no second master');
    return standby;
  }

  worker(id: string | null): Process {
    const found = this.workers.find((worker) => worker.id === id);
    if (!found) throw new Error(`this stack has no worker ${id}`);
    return found;
  }

  #nextId(role: string): string {
    const number = (this.#started.get(role) ?? 0) + 1;
    this.#started.set(role, number);
    return `${role}${number}`;
  }

  async #start(service: 'master' | 'worker' | 'gateway', proxied: boolean, env: Environment) {
    const { port } = this.zookeeper;
    if (proxied && port === undefined) throw new Error('a proxy stands in front of one server');
    const proxy = proxied && port !== undefined ? await startFaultProxy(this.scope, { port }) : null;
    const common = {
      ZOOKEEPER_CONNECT: `${proxy?.connect ?? this.zookeeper.connect}${this.chroot}`,
      ZOOKEEPER_SESSION_TIMEOUT_MS: this.options.sessionTimeoutMs ?? stackSessionMs,
    };
    const process = startService(this.scope, service, { ...common, ...env });
    noCrash(this.scope, service, process);
    return { process, proxy };
  }
}

/** A process that ended by itself, other than cleanly, fails the test that it belonged to. */
function noCrash(scope: TestScope, service: string, process: ServiceProcess): void {
  let exit: Exit | null = null;
  void process.exited.then((its) => {
    exit = its;
  });
  onCleanup(scope, () => {
    const isCrash = exit !== null && exit.code !== 0 && exit.signal === null;
    if (isCrash) throw new Error(`a ${service} crashed:\n${process.output.slice(-4000)}`);
  });
}
