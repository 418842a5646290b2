// What `npm run audit -- ...` is told, and the environment that it shares with every process.

import { parseArgs } from 'node:util';
import { BadConfiguration, type Environment, EnvironmentReader, isHost } from '../runtime/environment.ts';
import { readZooKeeperConfig, type ZooKeeperConfig } from '../runtime/zookeeper-config.ts';

export interface AuditOptions {
  readonly zookeeper: ZooKeeperConfig;
  /** One object of JSON instead of lines for people. */
  readonly json: boolean;
  /** `host:port` of the masters whose pictures are compared with the tree. Null: none is. */
  readonly masters: readonly string[] | null;
  /** How long a server is waited for. */
  readonly waitMs: number;
}

export const usage = `npm run audit -- [options]      or: node dist/audit/main.js [options]

Reads a live tree and says whether it is as it must be at every moment, and what is odd. It changes nothing.
Which tree: ZOOKEEPER_CONNECT (127.0.0.1:2181 unless it is set) and the other ZOOKEEPER_... variables,
as for every process. Mostly "--masters leader" is what to ask for.

  --masters host:port,host:port
                 compares what these masters know with the tree, too; the leading one is asked
                 besides, where /master says how. Addresses of admin endpoints; "leader": that one only
  --json         one JSON object on stdout, for programs
  --wait 15      seconds until a ZooKeeper server has to have answered
  --help

Exit code: 0 no violation, 1 violations, 2 the tree could not be read, 78 bad configuration.
docs/audit.md says of each rule what it means and what to do.`;

const waitSecondsMax = 3600;

/** Null: only help was asked for. Throws BadConfiguration with everything that is wrong. */
export function readAuditOptions(args: string[], env: Environment): AuditOptions | null {
  const values = parsed(args);
  if (values.help) return null;
  const reader = new EnvironmentReader(env);
  const zookeeper = readZooKeeperConfig(reader);
  const waitMs = Math.round(Number(values.wait ?? '15') * 1000);
  if (!(waitMs >= 0 && waitMs <= waitSecondsMax * 1000)) {
    reader.fault('--wait', `seconds, up to ${waitSecondsMax}`, String(values.wait));
  }
  const masters = values.masters === undefined ? null : mastersIn(values.masters);
  if (masters && !masters.every(isAddress)) {
    reader.fault('--masters', 'host:port,host:port or "leader"', String(values.masters));
  }
  reader.finish();
  return { zookeeper, json: values.json === true, masters, waitMs };
}

function parsed(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({ args, options: { masters: text, json: flag, wait: text, help: flag } }).values;
  } catch (error) {
    throw new BadConfiguration(`${(error as Error).message}\n\n${usage}`);
  }
}

function mastersIn(text: string): string[] {
  return text === 'leader' ? [] : text.split(',').map((address) => address.trim());
}

function isAddress(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  return match !== null && isHost(match[1] ?? match[2] ?? '') && Number(match[3]) <= 65_535;
}
