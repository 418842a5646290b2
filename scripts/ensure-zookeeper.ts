// A ZooKeeper for this machine, installed if need be: what is there already, else Debian's package, else the Docker image,
// else a message that says exactly what to do. Used by `npm start` and `npm test`.

import { installDebianPackages, runQuietly } from './debian-packages.ts';
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
  const error = installDebianPackages(['zookeeper']);
  if (error !== null) return skip(notes, `Debian's package: ${error}`);
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
