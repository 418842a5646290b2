// A ZooKeeper for this machine, installed if need be: what is there already, else Debian's package, else the Docker image,
// else a message that says exactly what to do. Used by `npm start` and `npm test`.

import { spawnSync } from 'node:child_process';
import {
  dockerImage,
  findOnMachine,
  findOnPath,
  hasDockerImage,
  inDocker,
  runs,
  type ZooKeeperInstallation,
} from './zookeeper-installation.ts';

/** Throws an Error with the message for the user where none can be had. */
export function ensureZooKeeper(): ZooKeeperInstallation {
  const found = findOnMachine();
  if (found) return found;
  const notes: string[] = [];
  const installed = installDebianPackage(notes) ?? pullDockerImage(notes);
  if (installed) return installed;
  throw new Error(advice(notes));
}

function installDebianPackage(notes: string[]): ZooKeeperInstallation | null {
  if (!findOnPath('apt-get')) return skip(notes, "Debian's package: no apt-get here");
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !runs('sudo', ['-n', 'true']))
    return skip(notes, "Debian's package: needs root or sudo without password");
  console.log("Installing Debian's package zookeeper ...");
  const asRoot = isRoot ? [] : ['sudo', '-n'];
  // Old lists may do, so a failed update is no reason to give up. Somebody else's apt is waited for.
  runQuietly([...asRoot, 'apt-get', 'update']);
  const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=300'];
  const error = runQuietly([...asRoot, ...apt, 'install', '-y', '--no-install-recommends', 'zookeeper']);
  if (error !== null) return skip(notes, `Debian's package: apt-get failed: ${error}`);
  return findOnMachine() ?? skip(notes, "Debian's package: installed, but older than 3.6 or without Java");
}

function pullDockerImage(notes: string[]): ZooKeeperInstallation | null {
  // Elsewhere a container's network is not the machine's own.
  if (process.platform !== 'linux') return skip(notes, 'Docker: used on Linux only');
  if (!findOnPath('docker')) return skip(notes, 'Docker: not installed');
  if (!runs('docker', ['version'])) return skip(notes, 'Docker: its engine does not answer');
  if (!hasDockerImage()) {
    console.log(`Pulling the Docker image ${dockerImage} ...`);
    const error = runQuietly(['docker', 'pull', dockerImage]);
    if (error !== null) return skip(notes, `Docker: ${error}`);
  }
  return inDocker();
}

function skip(notes: string[], reason: string): null {
  notes.push(reason);
  return null;
}

/** Null on success, else the last line of what it said. */
function runQuietly([command = '', ...args]: string[]): string | null {
  const { status, error, stderr, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return null;
  return error?.message ?? `${stderr || stdout}`.trim().split('\n').at(-1) ?? `exit code ${status}`;
}

function advice(notes: readonly string[]): string {
  return `No ZooKeeper (3.6 or newer) could be found or installed.
${notes.map((note) => `  - ${note}`).join('\n')}
Do one of these and run this again:
  - Debian 12, Ubuntu 24.04 or newer:  sudo apt-get update && sudo apt-get install zookeeper
  - macOS:  brew install zookeeper
  - anywhere else with Java:  unpack Apache ZooKeeper and set ZOOKEEPER_HOME to its folder
  - Linux: start Docker
For \`npm start\` it is also enough to set ZOOKEEPER_CONNECT=host:port to a server that runs already.`;
}
