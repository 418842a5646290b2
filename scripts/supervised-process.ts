// One process of `npm start`: started, its output handed on line by line, started again when it dies (with a growing
// pause, so that one that cannot live does not take the machine with it), and ended when all ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithParent } from './end-with-parent.ts';

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** SIGTERM, then this long until SIGKILL. */
  readonly stopMsMax: number;
  /** After a sudden end of the parent it is left alone for so long: others still need it to stop cleanly. */
  readonly orphanDelaySeconds?: number;
}

export interface SupervisorEvents {
  onLine(name: string, line: string): void;
  /** Said by the supervisor, not by the process. */
  onNotice(notice: string): void;
  /** It dies again and again, or says that starting it is no use. */
  onHopeless(reason: string): void;
}

const pauseMsFirst = 200;
const pauseMsMax = 10_000;
/** Lived this long: what ended it is no reason to wait. */
const steadyMs = 20_000;
/** Deaths in a row without a steady life. */
const deathsMax = 8;
/** EX_CONFIG: what our services exit with when their configuration is bad. */
const badConfigExitCode = 78;

export class SupervisedProcess {
  #child: ChildProcess | null = null;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly spec: ProcessSpec,
    private readonly events: SupervisorEvents,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#running = this.#supervise();
  }

  /** Resolves when it has ended, and will not be started again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#child?.kill('SIGTERM');
    const ended = new AbortController();
    const giveUp = delay(this.spec.stopMsMax, undefined, { signal: ended.signal }).then(
      () => {
        this.events.onNotice(`${this.name} is still there after ${this.spec.stopMsMax / 1000} s: killed`);
        this.kill();
      },
      () => undefined,
    );
    await this.#running;
    ended.abort();
    await giveUp;
  }

  /** At once. */
  kill(): void {
    this.#stopping.abort();
    this.#child?.kill('SIGKILL');
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#stopping;
    for (let deaths = 0; !signal.aborted; ) {
      const startedAt = performance.now();
      const end = await this.#live(deaths > 0);
      if (signal.aborted) return;
      deaths = performance.now() - startedAt > steadyMs ? 1 : deaths + 1;
      if (end === `exit code ${badConfigExitCode}` || deaths >= deathsMax) {
        this.events.onHopeless(`${this.name} cannot be kept running: ${end}`);
        return;
      }
      const pauseMs = Math.min(pauseMsFirst * 2 ** (deaths - 1), pauseMsMax);
      this.events.onNotice(`${this.name} ended (${end}): started again in ${pauseMs / 1000} s`);
      // An abort ends the pause; the loop sees it.
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One life; resolves with how it ended. The number of the process is told where it is not the first one. */
  async #live(isAgain: boolean): Promise<string> {
    const { command, args, env, name, orphanDelaySeconds } = this.spec;
    // A session of its own: Ctrl-C in the terminal is for the supervisor alone, which ends all in the right order.
    const child = spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.events.onLine(name, line));
    }
    const closed = once(child, 'close').then(
      ([code, signal]) => (code === null ? String(signal) : `exit code ${code}`),
      (error: Error) => error.message,
    );
    await Promise.race([once(child, 'spawn').catch(() => undefined), closed]);
    if (child.pid === undefined) return closed;
    if (isAgain) this.events.onNotice(`${name} is process ${child.pid} now`);
    endWithParent(child, {
      delaySeconds: orphanDelaySeconds ?? 0,
      graceSeconds: Math.ceil(this.spec.stopMsMax / 1000),
    });
    if (this.#stopping.signal.aborted) child.kill('SIGKILL');
    return closed;
  }
}
