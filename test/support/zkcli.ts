// A person at ZooKeeper's own command line: the real zkCli, with what it prints. A session stays open until it is closed,
// and so do its ephemeral znodes and its watches.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Changes } from './changes.ts';
import { onCleanup, type TestScope } from './cleanup.ts';
import { requireInstallation } from './zookeeper-server.ts';

export interface ZkCliOptions {
  /** Of its session; the program's own default is 30 s. */
  readonly sessionTimeoutMs?: number;
}

const waitMsDefault = 15_000;

/** Resolves once it is connected. */
export async function startZkCli(scope: TestScope, connect: string, options: ZkCliOptions = {}): Promise<ZkCli> {
  const timeout = ['-timeout', String(options.sessionTimeoutMs ?? 30_000)];
  const { command, args } = requireInstallation().cli([...timeout, '-server', connect]);
  // One stream for both outputs, so that they stay in order; a process group of its own, since zkCli.sh is a shell
  // script in front of a JVM.
  const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], { detached: true });
  const cli = new ZkCli(child);
  onCleanup(scope, () => cli.kill());
  await cli.waitForOutput(/state:SyncConnected type:None/);
  return cli;
}

/** Runs commands in one session, then closes it; returns what they printed. */
export async function runZkCli(scope: TestScope, connect: string, commands: readonly string[]): Promise<string> {
  const cli = await startZkCli(scope, connect);
  let output = '';
  for (const command of commands) output += await cli.run(command);
  await cli.close();
  return output;
}

export class ZkCli {
  #output = '';
  /** Where the next {@link waitForOutput} begins to look. */
  #position = 0;
  #ended = false;
  readonly #changes = new Changes();
  readonly #exited: Promise<void>;

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.#output += chunk;
      this.#changes.announce();
    });
    this.#exited = once(child, 'close').then(() => {
      this.#ended = true;
      this.#changes.announce();
    });
  }

  /** All that it has printed. */
  get output(): string {
    return this.#output;
  }

  /** Types one command and returns what was printed until it was done (watch events of others may be among it). */
  async run(command: string): Promise<string> {
    const start = this.#output.length;
    // zkCli says nothing when a command is done, so a second one follows that must fail in words of its own.
    const end = `/end-of-command-${randomBytes(6).toString('hex')}`;
    this.child.stdin.write(`${command}\nstat ${end}\n`);
    const [, index] = await this.#find(new RegExp(`^.*Node does not exist: ${end}.*\n`, 'm'), start, waitMsDefault);
    return this.#output.slice(start, index);
  }

  /** Waits for output that no earlier call of this method has found; returns the match. */
  async waitForOutput(pattern: RegExp, timeoutMs = waitMsDefault): Promise<RegExpExecArray> {
    const [match, index] = await this.#find(pattern, this.#position, timeoutMs);
    this.#position = index + match[0].length;
    return match;
  }

  /** Ends the session properly: its ephemeral znodes are gone when this resolves. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.child.stdin.end('quit\n');
    await this.#exited;
  }

  /** kill -9: the session lives on until its timeout. */
  async kill(): Promise<void> {
    if (this.child.pid === undefined || this.#ended) return;
    process.kill(-this.child.pid, 'SIGKILL');
    await this.#exited;
  }

  /** The match in what was printed from `start` on, and where it begins in all of the output. */
  #find(pattern: RegExp, start: number, timeoutMs: number): Promise<[RegExpExecArray, number]> {
    const look = (): [RegExpExecArray, number] | null => {
      const match = pattern.exec(this.#output.slice(start));
      return match && [match, start + match.index];
    };
    return this.#changes.until(look, timeoutMs, (expired) => {
      const why = this.#ended ? 'ended' : `took over ${timeoutMs} ms`;
      return this.#ended || expired ? new Error(`zkCli ${why} before ${pattern}; it printed:\n${this.#output}`) : null;
    });
  }
}
