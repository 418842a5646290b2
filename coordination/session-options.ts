// From a process's configuration to what a session needs.

import type { Log } from '../runtime/log.ts';
import type { ZooKeeperConfig } from '../runtime/zookeeper-config.ts';
import type { SessionOptions } from './session.ts';

export function sessionOptions({ connect, sessionTimeoutMs, tls, digest }: ZooKeeperConfig, log: Log): SessionOptions {
  return { servers: connect.servers, chroot: connect.chroot, sessionTimeoutMs, tls, digest, log };
}
