// One process of the fleet under its id, life after life. What it prints goes into a file of its own for each life; every start and
// every end goes into the record. An end that nobody asked for is one too, and the process is started again, as a supervisor would.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithParent } from '../../scripts/end-with-parent.ts';
import type { Command } from '../../scripts/zookeeper-installation.ts';
import { now } from '../moment.ts';
import type { ProcessEvent } from '../record.ts';

export interface Program {
  readonly id: string;
  readonly role: ProcessEvent['role'];
  /** Asked for each life. */
  command(): Command;
  readonly env: NodeJS.ProcessEnv;
  /** Null where a signal to the process is a signal to the program. */
  signal(signal: NodeJS.Signals): Command | null;
}

export interface FleetProcessOptions {
  /** Of the files with what is printed: `<id>.<life>.log`. */
  readonly logDir: string;
  readonly record: (event: ProcessEvent) => void;
}

/** Between an end that nobody asked for and the next life. */
const restartPauseMs = 200;

export class FleetProcess {
  #child: ChildProcess | null = null;
  #lives = 0;
  #supervised = false;
  #frozen = false;
  #restart: NodeJS.Timeout | undefined;

  constructor(
    private readonly program: Program,
    private readonly options: FleetProcessOptions,
  ) {}

  get id(): string {
    return this.program.id;
  }

  /** Null while it is down. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get state(): 'up' | 'frozen' | 'down' {
    if (!this.#child) return 'down';
    return this.#frozen ? 'frozen' : 'up';
  }

  /** How often it has been started. */
  get lives(): number {
    return this.#lives;
  }

  /** The end of what its newest life printed. */
  lastOutput(): string {
    return this.#lives === 0 ? '' : readFileSync(this.#logFile(), 'utf8').slice(-2000);
  }

  /** From now on it is kept up. Nothing where it is. */
  start(): void {
    this.#supervised = true;
    clearTimeout(this.#restart);
    if (!this.#child) this.#spawn();
  }

  /** From now on nobody starts it again when it ends, until {@link start}. */
  leaveAlone(): void {
    this.#supervised = false;
    clearTimeout(this.#restart);
  }

  /** Ends it; resolves when it is down, where it stays until {@link start}. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.leaveAlone();
    this.#signal(signal);
    await this.ended();
  }

  /** Resolves when the present life is over. */
  async ended(): Promise<void> {
    const child = this.#child;
    if (child) await once(child, 'exit');
  }

  /** SIGSTOP: it does nothing, and its connections stay open. */
  freeze(): void {
    this.#frozen = this.#child !== null;
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
    this.#frozen = false;
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#child) return;
    const command = this.program.signal(signal);
    if (command) spawnSync(command.command, command.args, { stdio: 'ignore' });
    else this.#child.kill(signal);
  }

  #spawn(): void {
    const { command, args } = this.program.command();
    this.#lives++;
    const child = this.#open(command, args);
    const { pid } = child;
    if (pid === undefined) throw new Error(`${this.id} could not be started: ${command}`);
    endWithParent(child);
    this.#child = child;
    this.#record({ pid, event: 'started' });
    child.once('exit', (code, signal) => {
      this.#child = null;
      this.#frozen = false;
      this.#record({ pid, event: 'exited', code, signal });
      if (this.#supervised) this.#restart = setTimeout(() => this.start(), restartPauseMs);
    });
  }

  /** A file, and no pipe: nothing of it is kept in memory, and what it printed last is there after a kill, too. */
  #open(command: string, args: readonly string[]): ChildProcess {
    mkdirSync(this.options.logDir, { recursive: true });
    const log = openSync(this.#logFile(), 'w');
    try {
      return spawn(command, args, { detached: true, env: this.program.env, stdio: ['ignore', log, log] });
    } finally {
      closeSync(log);
    }
  }

  #logFile(): string {
    return join(this.options.logDir, `${this.id}.${this.#lives}.log`);
  }

  #record(event: Pick<ProcessEvent, 'pid' | 'event' | 'code' | 'signal'>): void {
    this.options.record({ kind: 'process', role: this.program.role, id: this.id, ...event, at: now() });
  }
}
