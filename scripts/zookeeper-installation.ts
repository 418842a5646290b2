// Finds a ZooKeeper on this machine and says how to run its server and its zkCli: an unpacked distribution
// (ZOOKEEPER_HOME, zkServer.sh on the PATH, Homebrew), Debian's package, or, where there is none of these, the Docker image
// if it is present. Version 3.6 is the first with persistent watches; older ones are passed over.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

export interface ServerLaunch {
  readonly configFile: string;
  /** Everything the server reads and writes is below it. */
  readonly dir: string;
  readonly jvmFlags: readonly string[];
  /** Unique on this machine: the container's name. */
  readonly name: string;
}

export interface ZooKeeperInstallation {
  /** For people: where it comes from. */
  readonly origin: string;
  server(launch: ServerLaunch): Command;
  /** zkCli; what follows are its own arguments. */
  cli(args: readonly string[]): Command;
  /** Null where a signal to the process is a signal to the server. */
  signal(name: string, signal: NodeJS.Signals): Command | null;
}

export const dockerImage = 'zookeeper:3.9';
const serverClass = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
const cliClass = 'org.apache.zookeeper.ZooKeeperMain';
/** The jar's manifest names what it needs, but for something that writes the log. */
const debianJar = '/usr/share/java/zookeeper.jar';
const debianLogJar = '/usr/share/java/slf4j-simple.jar';
/** For Debian's logger; those of distributions are told by a file (zookeeper-process.ts). */
const logWarnings = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
const debianCli = '/usr/share/zookeeper/bin/zkCli.sh';
const homebrewHomes = ['/opt/homebrew/opt/zookeeper/libexec', '/usr/local/opt/zookeeper/libexec'];

/** What can be used without installing anything. */
export function findZooKeeper(): ZooKeeperInstallation | null {
  return findOnMachine() ?? (hasDockerImage() ? inDocker() : null);
}

export function findOnMachine(): ZooKeeperInstallation | null {
  const java = findJava();
  if (!java) return null;
  for (const home of distributionHomes()) {
    const jar = zookeeperJarIn(join(home, 'lib'));
    if (jar && isRecent(jar)) return onJava(java, home, join(home, 'lib', '*'), join(home, 'bin', 'zkCli.sh'));
  }
  if (existsSync(debianJar) && isRecent(realpathSync(debianJar))) {
    return onJava(java, debianJar, [debianJar, debianLogJar].join(delimiter), debianCli);
  }
  return null;
}

function findJava(): string | null {
  const javaHome = process.env['JAVA_HOME'];
  const java = javaHome ? join(javaHome, 'bin', 'java') : findOnPath('java');
  if (!java || !existsSync(java)) return null;
  // macOS has a java that only says that there is none.
  return process.platform !== 'darwin' || runs(java, ['-version']) ? java : null;
}

function distributionHomes(): string[] {
  const onPath = findOnPath('zkServer.sh');
  const homes = [process.env['ZOOKEEPER_HOME'] ?? '', onPath ? dirname(dirname(realpathSync(onPath))) : ''];
  return [...homes.filter((home) => home !== ''), ...homebrewHomes];
}

function zookeeperJarIn(lib: string): string | null {
  if (!existsSync(lib)) return null;
  return readdirSync(lib).find((file) => /^zookeeper-\d[\d.]*.*\.jar$/.test(file)) ?? null;
}

/** By the number in the jar's name; a name without one gets the benefit of the doubt. */
export function isRecent(jar: string): boolean {
  const match = /zookeeper-(\d+)\.(\d+)[^/]*\.jar$/.exec(jar);
  if (!match) return true;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > 3 || (major === 3 && minor >= 6);
}

function onJava(java: string, origin: string, classPath: string, cliScript: string): ZooKeeperInstallation {
  return {
    origin,
    server: ({ configFile, dir, jvmFlags }) => ({
      command: java,
      args: [logWarnings, ...jvmFlags, '-cp', [classPath, dir].join(delimiter), serverClass, configFile],
    }),
    cli: (args) =>
      existsSync(cliScript)
        ? { command: cliScript, args }
        : { command: java, args: ['-cp', classPath, cliClass, ...args] },
    signal: () => null,
  };
}

export function hasDockerImage(): boolean {
  return runs('docker', ['image', 'inspect', dockerImage]);
}

/** Host networking and the caller's user: ports and files are then those that a local server would have. */
export function inDocker(): ZooKeeperInstallation {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const run = ['run', '--rm', '-i', '--network', 'host', '--user', user];
  return {
    origin: `Docker image ${dockerImage}`,
    server: ({ configFile, dir, jvmFlags, name }) => ({
      command: 'docker',
      args: [
        ...[...run, '--name', name, '-v', `${dir}:${dir}`, '-e', `SERVER_JVMFLAGS=${jvmFlags.join(' ')}`],
        ...['--entrypoint', 'zkServer.sh', dockerImage, 'start-foreground', configFile],
      ],
    }),
    cli: (args) => ({ command: 'docker', args: [...run, '--entrypoint', 'zkCli.sh', dockerImage, ...args] }),
    signal: (name, signal) => ({ command: 'docker', args: ['kill', '--signal', signal, name] }),
  };
}

export function findOnPath(program: string): string | null {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, program));
  return candidates.find((path) => existsSync(path)) ?? null;
}

/** True where the command can be run and succeeds. */
export function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
