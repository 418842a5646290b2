// A server of the ensemble that can write nothing more: every write of its log fails, as on a full disk. ZooKeeper 3.8 does not end then: with each
// transaction it leaves its leader, and with it all its clients, and joins again at once, until the next. At the end it is killed: what it has
// in memory is more than what it has on disk, and nobody should go on from there.

import { spawnSync } from 'node:child_process';
import { findOnPath } from '../../scripts/zookeeper-installation.ts';
import type { FleetProcess } from '../fleet/fleet-process.ts';
import { CannotBreak, type Injection } from './injection.ts';

/** Nothing may be written at an offset beyond it, whatever the size of the file. */
const fileLimit = '--fsize=1:';

export const diskFull: Injection = async (fleet, targets) => {
  const servers = targets.map((id) => fleet.server(id));
  if (!findOnPath('prlimit')) throw new CannotBreak('disk-full needs the program prlimit (util-linux)');
  if (servers.some(({ isLocal }) => !isLocal)) throw new CannotBreak('disk-full needs a ZooKeeper outside of Docker');
  for (const { process } of servers) {
    // Where it does end itself it stays down as long as its disk is full.
    process.leaveAlone();
    limitFiles(process);
  }
  return {
    heal: async () => {
      await Promise.all(servers.map(({ process }) => process.end('SIGKILL')));
      for (const { process } of servers) process.start();
    },
  };
};

/** Nothing where it is down. */
function limitFiles(process: FleetProcess): void {
  if (process.pid === null) return;
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(process.pid), fileLimit]);
  if (status !== 0) throw new Error(`prlimit ${process.id}: ${stderr}`);
}
