// The configuration of each of the three processes, as contract section 2 lists it: environment in, plain objects out,
// or one ConfigError with every fault. Variables that are not listed there are left alone: a container platform sets
// dozens, some with names that look like ours.

import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { limits } from '../domain/limits.ts';
import { type Environment, EnvironmentReader } from './environment.ts';
import { isZnodeName, readZooKeeperConfig, type ZooKeeperConfig } from './zookeeper-config.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What every process has. */
export interface ProcessConfig {
  readonly zookeeper: ZooKeeperConfig;
  /** What to listen on. */
  readonly host: string;
  /** What others reach this process by. */
  readonly advertisedHost: string;
  readonly logLevel: (typeof logLevels)[number];
}

export interface GatewayConfig extends ProcessConfig {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly unfinishedTasksMax: number;
  readonly waitsMax: number;
}

export interface MasterConfig extends ProcessConfig {
  readonly id: string;
  /** 0: any free one. */
  readonly adminPort: number;
  readonly finishedTasksMax: number;
  readonly minRetentionMs: number;
}

export interface WorkerConfig extends ProcessConfig {
  readonly id: string;
  readonly adminPort: number;
  readonly concurrency: number;
  /** Those that it serves; null: every queue. */
  readonly queues: readonly string[] | null;
  /** How long a stop lets runs finish before they are handed back. */
  readonly drainGraceMs: number;
  /** Absolute; null: no handlers but the built-in ones. */
  readonly handlersDir: string | null;
  readonly shellHandler: boolean;
  /** `host` or `host:port`, in lower case. */
  readonly httpHandlerHosts: readonly string[];
}

const tasksMaxCeiling = 10_000_000;
const idCharactersMax = 200;

export function readGatewayConfig(env: Environment): GatewayConfig {
  return read(env, (reader) => {
    const httpPort = reader.port('HTTP_PORT', 8080);
    const grpcPort = reader.port('GRPC_PORT', 50_051);
    if (httpPort !== 0 && httpPort === grpcPort) {
      reader.fault('GRPC_PORT', 'another port than HTTP_PORT', String(grpcPort));
    }
    return {
      httpPort,
      grpcPort,
      unfinishedTasksMax: reader.integer('MAX_UNFINISHED_TASKS', limits.unfinishedTasksMaxDefault, 1, tasksMaxCeiling),
      waitsMax: reader.integer('MAX_WAITS', limits.waitsMaxDefault, 1, 1_000_000),
    };
  });
}

export function readMasterConfig(env: Environment): MasterConfig {
  return read(env, (reader) => ({
    id: readId(reader, 'MASTER_ID', 'master'),
    adminPort: reader.port('ADMIN_PORT', 0),
    finishedTasksMax: reader.integer('MAX_FINISHED_TASKS', limits.finishedTasksMaxDefault, 0, tasksMaxCeiling),
    minRetentionMs: reader.integer('MIN_RETENTION_MS', limits.minRetentionMsDefault, 0, limits.retentionMsMax),
  }));
}

export function readWorkerConfig(env: Environment): WorkerConfig {
  return read(env, (reader) => ({
    id: readId(reader, 'WORKER_ID', 'worker'),
    adminPort: reader.port('ADMIN_PORT', 0),
    concurrency: reader.integer('WORKER_CONCURRENCY', 16, 1, limits.workerConcurrencyMax),
    queues: readQueues(reader),
    drainGraceMs: reader.integer('WORKER_DRAIN_GRACE_MS', limits.drainGraceMs, 0, limits.drainGraceMsMax),
    handlersDir: readDirectory(reader, 'HANDLERS_DIR'),
    shellHandler: reader.choice('SHELL_HANDLER', ['on', 'off'], 'off') === 'on',
    httpHandlerHosts: readHttpHosts(reader),
  }));
}

function read<T>(env: Environment, readOwn: (reader: EnvironmentReader) => T): T & ProcessConfig {
  const reader = new EnvironmentReader(env);
  const host = reader.host('HOST', '127.0.0.1');
  const config = {
    ...readOwn(reader),
    zookeeper: readZooKeeperConfig(reader),
    host,
    advertisedHost: reader.host('ADVERTISED_HOST', isEveryInterface(host) ? hostname() : host),
    logLevel: reader.choice('LOG_LEVEL', logLevels, 'info'),
  };
  reader.finish();
  return config;
}

function isEveryInterface(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function readId(reader: EnvironmentReader, variable: string, role: string): string {
  const id = reader.raw(variable);
  if (id === null) return madeUpId(role, hostname());
  if (!isZnodeName(id) || id.length > idCharactersMax) {
    reader.fault(variable, `the name of a znode: up to ${idCharactersMax} characters, no "/", not "." or ".."`);
  }
  return id;
}

/** `role-host-random`, a legal znode name whatever the host is called. */
export function madeUpId(role: string, host: string): string {
  const safeHost = host.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 63) || 'host';
  return `${role}-${safeHost}-${randomBytes(4).toString('hex')}`;
}

function readDirectory(reader: EnvironmentReader, variable: string): string | null {
  const text = reader.raw(variable);
  if (text === null) return null;
  if (!statSync(text, { throwIfNoEntry: false })?.isDirectory()) reader.fault(variable, 'a directory that exists');
  return resolve(text);
}

function readQueues(reader: EnvironmentReader): string[] | null {
  const text = reader.raw('WORKER_QUEUES');
  if (text === null) return null;
  const queues = [...new Set(entriesOf(text))];
  const namePattern = new RegExp(limits.namePattern);
  const areQueues = queues.length > 0 && queues.length <= limits.workerQueuesMax;
  if (!areQueues || !queues.every((queue) => namePattern.test(queue))) {
    const max = limits.workerQueuesMax;
    reader.fault('WORKER_QUEUES', `1 to ${max} names of queues separated by commas, each 1 to 64 of A-Z a-z 0-9 . _ -`);
  }
  return queues;
}

function readHttpHosts(reader: EnvironmentReader): string[] {
  const hosts = entriesOf((reader.raw('HTTP_HANDLER_HOSTS') ?? '').toLowerCase());
  if (!hosts.every((entry) => /^(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)(:\d{1,5})?$/.test(entry))) {
    reader.fault('HTTP_HANDLER_HOSTS', 'hosts separated by commas, each host or host:port, without scheme or path');
  }
  return hosts;
}

/** What stands between commas; empty entries do not count. */
function entriesOf(text: string): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '');
}
