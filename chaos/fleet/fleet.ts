// A whole system of real processes that can be broken: an ensemble of three servers, masters, workers and gateways, each process with links
// of its own to each server, at the same addresses in every life. Every start and end of any of them is recorded. All of it ends with the scope.

import { join } from 'node:path';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';
import { eventually } from '../../test/support/eventually.ts';
import type { Environment } from '../../test/support/process.ts';
import type { Entry } from '../record.ts';
import { type EnsembleServer, serversByMode, startEnsemble } from './ensemble.ts';
import { EnsembleGuard } from './ensemble-guard.ts';
import type { FleetProcess } from './fleet-process.ts';
import { Observer } from './observer.ts';
import { claimPorts } from './port-block.ts';
import {
  createService,
  type FleetGateway,
  type FleetService,
  type ServiceOptions,
  type ServiceRole,
} from './service.ts';

export interface FleetShape {
  readonly masters: number;
  readonly workers: number;
  readonly gateways: number;
}

export interface FleetOptions extends Partial<FleetShape> {
  readonly sessionTimeoutMs?: number;
  /** Of all masters, workers, gateways. */
  readonly masterEnv?: Environment;
  readonly workerEnv?: Environment;
  readonly gatewayEnv?: Environment;
  /** Absolute: what processes print, and the data of the ensemble. It stays when the fleet has ended. */
  readonly reportDir: string;
  readonly record: (entry: Entry) => void;
}

export const defaultShape: FleetShape = { masters: 3, workers: 4, gateways: 2 };
const sessionMs = 2000;
const startMsMax = 60_000;
const settleMsMax = 180_000;
const chroot = '/fleet';

/** Resolves when it is settled, see {@link Fleet.settle}. */
export async function startFleet(scope: TestScope, options: FleetOptions): Promise<Fleet> {
  const { reportDir, record } = options;
  const common = { logDir: join(reportDir, 'logs'), record, nextPort: await claimPorts(scope) };
  const servers = await startEnsemble(scope, { ...common, dataDir: reportDir });
  const { sessionTimeoutMs = sessionMs } = options;
  const services = await createServices(scope, options, { ...common, servers, chroot, sessionTimeoutMs });
  const observer = new Observer(scope, `${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}${chroot}`);
  const guard = new EnsembleGuard(scope, servers, observer, record);
  const fleet = new Fleet({ servers, ...services, observer, guard, sessionTimeoutMs });
  for (const { process } of fleet.services) {
    onCleanup(scope, () => process.end('SIGKILL'));
    process.start();
  }
  await fleet.settle(startMsMax);
  return fleet;
}

export interface FleetParts {
  readonly servers: readonly EnsembleServer[];
  readonly masters: readonly FleetService[];
  readonly workers: readonly FleetService[];
  readonly gateways: readonly FleetGateway[];
  readonly observer: Observer;
  readonly guard: EnsembleGuard;
  readonly sessionTimeoutMs: number;
}

export class Fleet {
  readonly servers: readonly EnsembleServer[];
  readonly masters: readonly FleetService[];
  readonly workers: readonly FleetService[];
  readonly gateways: readonly FleetGateway[];
  readonly observer: Observer;
  readonly guard: EnsembleGuard;
  readonly sessionTimeoutMs: number;

  constructor(parts: FleetParts) {
    this.servers = parts.servers;
    this.masters = parts.masters;
    this.workers = parts.workers;
    this.gateways = parts.gateways;
    this.observer = parts.observer;
    this.guard = parts.guard;
    this.sessionTimeoutMs = parts.sessionTimeoutMs;
  }

  get services(): readonly FleetService[] {
    return [...this.masters, ...this.workers, ...this.gateways];
  }

  /** Past all proxies, with the chroot. */
  get connect(): string {
    return `${this.servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}${chroot}`;
  }

  /** Of a service or a server. */
  process(id: string): FleetProcess {
    const found = [...this.services, ...this.servers].find((each) => each.id === id);
    if (!found) throw new Error(`this fleet has no ${id}`);
    return found.process;
  }

  service(id: string): FleetService {
    const found = this.services.find((each) => each.id === id);
    if (!found) throw new Error(`this fleet has no service ${id}`);
    return found;
  }

  server(id: string): EnsembleServer {
    const found = this.servers.find((each) => each.id === id);
    if (!found) throw new Error(`this fleet has no server ${id}`);
    return found;
  }

  /** The master that leads now; null where none does, or that cannot be seen now. */
  leader(): FleetService | null {
    const address = this.observer.leaderAddress;
    return this.masters.find(({ port }) => address === `127.0.0.1:${port}`) ?? null;
  }

  /** Everything that is frozen goes on, what is down is started, and all links are whole. */
  async heal(): Promise<void> {
    for (const { process } of [...this.servers, ...this.services]) {
      process.resume();
      process.start();
    }
    await Promise.all(this.services.flatMap(({ links }) => links.links.map((link) => link.heal())));
  }

  /** Heals, and resolves once nobody is missing: every server serves, every process is ready, one master leads. */
  async settle(timeoutMs = settleMsMax): Promise<void> {
    await this.heal();
    let missing: string[] = [];
    const isWhole = async () => {
      missing = await this.missing();
      return missing.length === 0;
    };
    await eventually('the fleet is whole', isWhole, timeoutMs).catch(() => {
      throw new Error(`after ${timeoutMs} ms the fleet is not whole:\n${missing.join('\n')}`);
    });
  }

  /** Who is not as they should be, each with what is known of it. */
  async missing(): Promise<string[]> {
    const modes = await serversByMode(this.servers);
    const serving = [...modes.leader, ...modes.follower];
    const ready = await Promise.all(this.services.map((service) => service.isReady()));
    const absent = [
      ...this.servers.filter((server) => !serving.includes(server)),
      ...this.services.filter((_, i) => !ready[i]),
    ];
    return [
      ...absent.map(({ process }) => describe(process)),
      ...(modes.leader.length === 1 ? [] : ['the ensemble has no leader']),
      ...(this.masters.length === 0 || this.leader() ? [] : ['no master leads']),
    ];
  }
}

function describe(process: FleetProcess): string {
  const { id, state, lives } = process;
  return `${id} is ${state === 'up' ? 'not ready' : state}, in life ${lives}; the end of what it printed:\n${process.lastOutput()}`;
}

async function createServices(scope: TestScope, options: FleetOptions, common: ServiceOptions) {
  const { masters, workers, gateways } = { ...defaultShape, ...options };
  const { nextPort } = common;
  const create = (role: ServiceRole, number: number, env: Environment) =>
    createService(scope, role, `${role}${number}`, env, common);
  const services = { masters: [] as FleetService[], workers: [] as FleetService[], gateways: [] as FleetGateway[] };
  for (let n = 1; n <= masters; n++) {
    const env = { ...options.masterEnv, MASTER_ID: `master${n}`, ADMIN_PORT: await nextPort() };
    services.masters.push(await create('master', n, env));
  }
  for (let n = 1; n <= workers; n++) {
    const env = { ...options.workerEnv, WORKER_ID: `worker${n}`, ADMIN_PORT: await nextPort() };
    services.workers.push(await create('worker', n, env));
  }
  for (let n = 1; n <= gateways; n++) {
    const [http, grpc] = [await nextPort(), await nextPort()];
    const service = await create('gateway', n, { ...options.gatewayEnv, HTTP_PORT: http, GRPC_PORT: grpc });
    services.gateways.push({ ...service, url: `http://127.0.0.1:${http}`, grpcAddress: `127.0.0.1:${grpc}` });
  }
  return services;
}
