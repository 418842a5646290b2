// A master, worker or gateway of a fleet: its ports, which stay in every life, its links to the ensemble, and whether it is ready.

import type { TestScope } from '../../test/support/cleanup.ts';
import { cleanEnvironment, type Environment, serviceScript } from '../../test/support/process.ts';
import type { EnsembleServer } from './ensemble.ts';
import { FleetProcess, type FleetProcessOptions } from './fleet-process.ts';
import { type ProcessLinks, startLinks } from './links.ts';
import { loopbackGet } from './loopback-get.ts';
import type { NextPort } from './port-block.ts';

export type ServiceRole = 'master' | 'worker' | 'gateway';

export interface FleetService {
  readonly id: string;
  readonly role: ServiceRole;
  readonly process: FleetProcess;
  readonly links: ProcessLinks;
  /** Of its readiness and metrics: a gateway's HTTP, of others the admin endpoint. */
  readonly port: number;
  isReady(): Promise<boolean>;
  /** As Prometheus text. */
  metrics(): Promise<string>;
}

export interface FleetGateway extends FleetService {
  /** Of its HTTP. */
  readonly url: string;
  /** `host:port`. */
  readonly grpcAddress: string;
}

export interface ServiceOptions extends FleetProcessOptions {
  readonly servers: readonly EnsembleServer[];
  readonly chroot: string;
  readonly sessionTimeoutMs: number;
  readonly nextPort: NextPort;
}

const answerMsMax = 2000;

/** Its ports belong to the environment. Not running yet. */
export async function createService(
  scope: TestScope,
  role: ServiceRole,
  id: string,
  env: Environment,
  options: ServiceOptions,
): Promise<FleetService> {
  const links = await startLinks(scope, options.servers, options.nextPort);
  const own = {
    ZOOKEEPER_CONNECT: `${links.connect}${options.chroot}`,
    ZOOKEEPER_SESSION_TIMEOUT_MS: options.sessionTimeoutMs,
  };
  const program = {
    ...{ id, role, env: cleanEnvironment({ ...own, ...env }) },
    command: () => ({ command: process.execPath, args: ['--enable-source-maps', serviceScript(role)] }),
    signal: () => null,
  };
  const port = Number(env['ADMIN_PORT'] ?? env['HTTP_PORT']);
  const get = (path: string) => loopbackGet(port, path, answerMsMax);
  return {
    ...{ id, role, links, port },
    process: new FleetProcess(program, options),
    isReady: async () => (await get('/readyz').catch(() => null))?.status === 200,
    metrics: async () => (await get('/metrics')).text,
  };
}
