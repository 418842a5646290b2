// What `npm start` is told by the environment, and whether the ports it needs are to be had.

import { type Environment, EnvironmentReader } from '../runtime/environment.ts';
import { readZooKeeperConfig } from '../runtime/zookeeper-config.ts';
import { isPortFree } from './ports.ts';

export interface StartOptions {
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Null: use the servers that ZOOKEEPER_CONNECT names, and start none. */
  readonly zookeeperPort: number | null;
  readonly zookeeperConnect: string;
  /** What outlives a run: tasks and logs. Ignored by git; relative to the project's folder, see single-instance.ts. */
  readonly dataDir: string;
}

/** Throws ConfigError with everything that is wrong. */
export function readStartOptions(env: Environment): StartOptions {
  const reader = new EnvironmentReader(env);
  readZooKeeperConfig(reader);
  const connect = reader.raw('ZOOKEEPER_CONNECT');
  const zookeeperPort = connect === null ? reader.integer('ZOOKEEPER_PORT', 2181, 1, 65_535) : null;
  const options = {
    httpPort: reader.integer('HTTP_PORT', 8080, 1, 65_535),
    grpcPort: reader.integer('GRPC_PORT', 50_051, 1, 65_535),
    zookeeperPort,
    zookeeperConnect: connect ?? `127.0.0.1:${zookeeperPort}`,
    dataDir: reader.raw('TASKKEEPER_DIR') ?? '.taskkeeper',
  };
  const ports = portsOf(options).map(({ port }) => port);
  if (new Set(ports).size < ports.length)
    reader.fault('HTTP_PORT, GRPC_PORT, ZOOKEEPER_PORT', 'different from each other', null);
  reader.finish();
  return options;
}

interface NeededPort {
  readonly port: number;
  readonly variable: string;
  readonly what: string;
}

function portsOf({ httpPort, grpcPort, zookeeperPort }: StartOptions): NeededPort[] {
  return [
    { port: httpPort, variable: 'HTTP_PORT', what: 'the HTTP interface' },
    { port: grpcPort, variable: 'GRPC_PORT', what: 'the gRPC interface' },
    ...(zookeeperPort === null ? [] : [{ port: zookeeperPort, variable: 'ZOOKEEPER_PORT', what: 'ZooKeeper' }]),
  ];
}

/** A line for each port that somebody else has. */
export async function portsInUse(options: StartOptions): Promise<string[]> {
  const lines = await Promise.all(
    portsOf(options).map(async ({ port, variable, what }) =>
      (await isPortFree(port)) ? [] : [`Port ${port}, for ${what}, is in use. Set ${variable} to a free one.`],
    ),
  );
  return lines.flat();
}
