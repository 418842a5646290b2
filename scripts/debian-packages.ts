// Installs Debian's packages where that can be done without asking: as root, or with a sudo that wants no password.

import { spawnSync } from 'node:child_process';
import { findOnPath, runs } from './zookeeper-installation.ts';

/** Null where packages can be installed here, else why not. */
export function whyNotInstallable(): string | null {
  if (!findOnPath('apt-get')) return 'no apt-get here';
  return isRoot() || runs('sudo', ['-n', 'true']) ? null : 'needs root or sudo without password';
}

/** Null once they are installed, else why they are not. */
export function installDebianPackages(packages: readonly string[]): string | null {
  const obstacle = whyNotInstallable();
  if (obstacle !== null) return obstacle;
  console.log(`Installing Debian's ${packages.join(', ')} ...`);
  const asRoot = isRoot() ? [] : ['sudo', '-n'];
  // Old lists may do, so a failed update is no reason to give up. Somebody else's apt is waited for.
  runQuietly([...asRoot, 'apt-get', 'update']);
  const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=300'];
  const error = runQuietly([...asRoot, ...apt, 'install', '-y', '--no-install-recommends', ...packages]);
  return error && `apt-get failed: ${error}`;
}

/** Null on success, else the last line of what it said. */
export function runQuietly([command = '', ...args]: string[]): string | null {
  const { status, error, stderr, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return null;
  return error?.message ?? `${stderr || stdout}`.trim().split('\n').at(-1) ?? `exit code ${status}`;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
