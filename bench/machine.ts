// Where it was measured: figures of two machines say nothing about each other.

import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly platform: string;
  readonly node: string;
  readonly zookeeper: string;
  /** Of the source; null outside of a repository. */
  readonly commit: string | null;
  readonly date: string;
}

export function describeMachine(zookeeper: string): Machine {
  const commit = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' });
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    zookeeper,
    commit: commit.status === 0 ? commit.stdout.trim() : null,
    date: new Date().toISOString(),
  };
}

/** What was measured where: the first line of a file of figures. */
export interface Head {
  readonly machine: Machine;
  readonly sizes: object;
}

/** For whoever compares: what makes the comparison worth less. */
export function differences(before: Head, now: Head): string[] {
  const where = ({ machine: { cpu, cores, node, zookeeper } }: Head) => JSON.stringify({ cpu, cores, node, zookeeper });
  return [
    ...(where(before) === where(now)
      ? []
      : [`It was another machine, or other versions: ${machineLine(before.machine)}`]),
    ...(JSON.stringify(before.sizes) === JSON.stringify(now.sizes) ? [] : ['It was another amount of work.']),
  ];
}

export function machineLine({ cpu, cores, memoryGb, node, zookeeper, commit, date }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGb} GB; node ${node}, ZooKeeper ${zookeeper}; ${commit ?? 'no commit'}, ${date}`;
}
