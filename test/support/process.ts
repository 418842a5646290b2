// One of our services as a real child process: its environment is what the test gives and nothing of the developer's, and
// its JSON log is something that a test can wait for. Killed with the scope.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { endWithParent } from '../../scripts/end-with-parent.ts';
import { Changes } from './changes.ts';
import { onCleanup, type TestScope } from './cleanup.ts';

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const entries = {
  gateway: '../../gateway/main.js',
  master: '../../services/master/main.js',
  worker: '../../services/worker/main.js',
} as const;
export type ServiceName = keyof typeof entries;

export type Environment = Readonly<Record<string, string | number>>;

/** Returns at once; wait for a log line or an endpoint to know that it is up. */
export function startService(scope: TestScope, service: ServiceName, env: Environment): ServiceProcess {
  return startScript(scope, serviceScript(service), env);
}

export function serviceScript(service: ServiceName): string {
  return fileURLToPath(new URL(entries[service], import.meta.url));
}

/** The same for any compiled script. */
export function startScript(scope: TestScope, script: string, env: Environment, args: string[] = []): ServiceProcess {
  const child = spawn(process.execPath, ['--enable-source-maps', script, ...args], {
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running = new ServiceProcess(child);
  endWithParent(child);
  onCleanup(scope, async () => {
    running.kill('SIGKILL');
    await running.exited;
  });
  return running;
}

/** What is given, and of ours only what any process needs. */
export function cleanEnvironment(env: Environment): Record<string, string> {
  const { PATH, HOME, TMPDIR, NODE_V8_COVERAGE } = process.env;
  const known = Object.entries({ PATH, HOME, TMPDIR, NODE_V8_COVERAGE, ...env });
  return Object.fromEntries(known.flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])));
}

export class ServiceProcess {
  /** Every JSON line so far. */
  readonly logs: LogLine[] = [];
  /** Everything printed, stdout and stderr. */
  output = '';
  readonly exited: Promise<Exit>;
  #exit: Exit | null = null;
  readonly #changes = new Changes();

  constructor(private readonly child: ChildProcessByStdio<null, Readable, Readable>) {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#take(line));
    }
    this.exited = once(child, 'close').then(([code, signal]) => {
      this.#exit = { code, signal };
      this.#changes.announce();
      return this.#exit;
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Any signal, SIGSTOP and SIGCONT too; nothing where it has ended. */
  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** SIGTERM, and the exit. */
  stop(): Promise<Exit> {
    this.kill('SIGTERM');
    return this.exited;
  }

  /** The first line that fits, past ones included; a pattern is for the message, a function sees the whole line. */
  waitForLog(wanted: RegExp | ((line: LogLine) => boolean), timeoutMs = 15_000): Promise<LogLine> {
    const fits = wanted instanceof RegExp ? (line: LogLine) => wanted.test(line.msg) : wanted;
    return this.#changes.until(
      () => this.logs.find(fits) ?? null,
      timeoutMs,
      (expired) => (this.#exit || expired ? this.#notFound(String(wanted), timeoutMs) : null),
    );
  }

  /** The same for everything printed, of processes whose output is for people. */
  waitForOutput(pattern: RegExp, timeoutMs = 15_000): Promise<RegExpExecArray> {
    return this.#changes.until(
      () => pattern.exec(this.output),
      timeoutMs,
      (expired) => (this.#exit || expired ? this.#notFound(String(pattern), timeoutMs) : null),
    );
  }

  #notFound(wanted: string, timeoutMs: number): Error {
    const why = this.#exit ? `it ended (${this.#exit.code ?? this.#exit.signal})` : `${timeoutMs} ms passed`;
    return new Error(`no output ${wanted}: ${why}; the end of its output:\n${this.output.slice(-4000)}`);
  }

  #take(line: string): void {
    this.output += `${line}\n`;
    const record = parseLogLine(line);
    if (record) this.logs.push(record);
    this.#changes.announce();
  }
}

function parseLogLine(line: string): LogLine | null {
  try {
    const record: unknown = line.startsWith('{') ? JSON.parse(line) : null;
    return record as LogLine | null;
  } catch {
    return null;
  }
}

/** False for a process that has ended, also where nobody has asked yet how. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
