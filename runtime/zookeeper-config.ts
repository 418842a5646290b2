// The variables that say how a process reaches ZooKeeper: connect string, session timeout, TLS and digest credentials.
// Files are read here, once, at the start, so that a missing one is a fault of the configuration and not a surprise
// at the first reconnect.

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type EnvironmentReader, isHost } from './environment.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ConnectString {
  readonly servers: readonly ServerAddress[];
  /** Put before every path: '' or `/a/b`. */
  readonly chroot: string;
}

/** PEM texts. */
export interface ZooKeeperTls {
  readonly ca: string;
  readonly cert: string | null;
  readonly key: string | null;
}

export interface ZooKeeperConfig {
  readonly connect: ConnectString;
  readonly sessionTimeoutMs: number;
  /** Null: plain TCP. */
  readonly tls: ZooKeeperTls | null;
  /** `user:password`; null: no credentials, and znodes open to everybody. */
  readonly digest: string | null;
}

const defaultPort = 2181;
const connectAccepted = 'host:port,host:port/chroot (an IPv6 address in brackets; port 2181 where there is none)';

export function readZooKeeperConfig(reader: EnvironmentReader): ZooKeeperConfig {
  return {
    connect: readConnect(reader),
    sessionTimeoutMs: reader.integer('ZOOKEEPER_SESSION_TIMEOUT_MS', 6000, 200, 600_000),
    tls: readTls(reader),
    digest: readDigest(reader),
  };
}

function readConnect(reader: EnvironmentReader): ConnectString {
  const text = reader.raw('ZOOKEEPER_CONNECT') ?? `127.0.0.1:${defaultPort}`;
  const connect = parseConnectString(text);
  if (connect) return connect;
  reader.fault('ZOOKEEPER_CONNECT', connectAccepted);
  return { servers: [], chroot: '' };
}

/** Null where `text` is no connect string. */
export function parseConnectString(text: string): ConnectString | null {
  const slash = text.indexOf('/');
  const chroot = slash < 0 ? '' : text.slice(slash).replace(/\/$/, '');
  const servers = (slash < 0 ? text : text.slice(0, slash)).split(',').map((server) => parseServer(server.trim()));
  const known = servers.filter((server) => server !== null);
  if (known.length < servers.length || (chroot !== '' && !isZnodePath(chroot))) return null;
  return { servers: known, chroot };
}

function parseServer(text: string): ServerAddress | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? defaultPort);
  const hostFits = match?.[1] === undefined ? isHost(host) : isIP(host) === 6;
  return hostFits && port >= 1 && port <= 65_535 ? { host, port } : null;
}

function isZnodePath(path: string): boolean {
  return path.slice(1).split('/').every(isZnodeName);
}

/**
 * True for one legal segment of a znode path. The ranges are those that ZooKeeper's `PathUtils.validatePath` refuses.
 */
export function isZnodeName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= 0x1f || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xf8ff) || code >= 0xfff0) {
      return false;
    }
  }
  return true;
}

function readTls(reader: EnvironmentReader): ZooKeeperTls | null {
  const ca = readPem(reader, 'ZOOKEEPER_TLS_CA');
  const cert = readPem(reader, 'ZOOKEEPER_TLS_CERT');
  const key = readPem(reader, 'ZOOKEEPER_TLS_KEY');
  const isSet = (variable: string) => reader.raw(variable) !== null;
  if (!isSet('ZOOKEEPER_TLS_CA')) {
    if (isSet('ZOOKEEPER_TLS_CERT') || isSet('ZOOKEEPER_TLS_KEY')) {
      reader.fault('ZOOKEEPER_TLS_CA', 'set too where ZOOKEEPER_TLS_CERT or ZOOKEEPER_TLS_KEY is');
    }
    return null;
  }
  if (isSet('ZOOKEEPER_TLS_CERT') !== isSet('ZOOKEEPER_TLS_KEY')) {
    const missing = isSet('ZOOKEEPER_TLS_CERT') ? 'ZOOKEEPER_TLS_KEY' : 'ZOOKEEPER_TLS_CERT';
    reader.fault(missing, 'set too: certificate and key belong together');
  } else if (cert !== null && key !== null && !belongTogether(cert, key)) {
    reader.fault('ZOOKEEPER_TLS_KEY', 'the key of the certificate in ZOOKEEPER_TLS_CERT, without a passphrase');
  }
  return ca === null ? null : { ca, cert, key };
}

function readPem(reader: EnvironmentReader, variable: string): string | null {
  const text = readFile(reader, variable);
  if (text === null || text.includes('-----BEGIN ')) return text;
  reader.fault(variable, 'a PEM file');
  return null;
}

function belongTogether(cert: string, key: string): boolean {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
}

function readDigest(reader: EnvironmentReader): string | null {
  const text = readFile(reader, 'ZOOKEEPER_DIGEST_FILE')?.trim() ?? null;
  if (text === null || /^[^:\s]+:\S+$/.test(text)) return text;
  reader.fault('ZOOKEEPER_DIGEST_FILE', 'a file with one line, user:password');
  return null;
}

function readFile(reader: EnvironmentReader, variable: string): string | null {
  const path = reader.raw(variable);
  if (path === null) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    reader.fault(variable, `a file that can be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`);
    return null;
  }
}
