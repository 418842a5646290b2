// The worker's end of one guardian process (guardian-process.ts): starts it, tells it what to watch over, hears what it
// did. When that process ends, nothing would kill the commands if the worker died, so they are killed here and then.
// guardian.ts replaces a link that has ended.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { handlerLimits } from './handler-limits.ts';
import { signalGroup } from './process-group.ts';

/** Called at most once for a group: it was killed, and why. */
export type OnKilled = (why: string) => void;

interface WatchedGroup {
  readonly onKilled: OnKilled;
  /** The guardian has answered: it watches over the group, or has killed it already. */
  readonly onAnswer: () => void;
}

export class GuardianLink {
  readonly #child: ChildProcess;
  readonly #input: Socket;
  readonly #groups = new Map<number, WatchedGroup>();
  #hasEnded = false;
  /** Resolves when the process has ended, however that came. */
  readonly ended: Promise<void>;

  constructor() {
    const entry = fileURLToPath(new URL('./guardian-process.js', import.meta.url));
    // A session of its own, so that Ctrl-C reaches only the worker; nothing of the worker's environment, folder or log.
    this.#child = spawn(process.execPath, ['--max-old-space-size=32', entry], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {},
      cwd: '/',
    });
    const { stdin, stdout } = this.#child as { stdin: Socket; stdout: Socket } & ChildProcess;
    this.#input = stdin;
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', resolve).once('error', resolve);
    }).then(() => this.#onEnd());
    // A write to a guardian that has just died; its end is what counts.
    stdin.on('error', () => undefined);
    createInterface({ input: stdout }).on('line', (line) => this.#hear(line));
    // It must not keep a worker alive that has nothing else to do.
    for (const handle of [this.#child, stdin, stdout]) handle.unref();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves once the guardian watches over the group or, told by `onKilled`, has killed it; before, it must not begin. */
  async add(group: number, onKilled: OnKilled): Promise<void> {
    // Its end is the one way in which a guardian that hangs (stopped, say) can do no harm.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), handlerLimits.guardianAnswerMsMax);
    try {
      const added = new Promise<void>((resolve) => this.#groups.set(group, { onKilled, onAnswer: resolve }));
      this.#say(`add ${group}`);
      await Promise.race([added, this.ended]);
    } finally {
      clearTimeout(timer);
    }
    if (this.#hasEnded) throw new Error('the guardian process ended');
  }

  remove(group: number): void {
    if (this.#groups.delete(group)) this.#say(`remove ${group}`);
  }

  renewLease(untilMs: number): void {
    this.#say(`lease ${untilMs}`);
  }

  /** The guardian kills what is still there and ends. */
  async close(): Promise<void> {
    this.#child.ref();
    this.#input.end();
    await this.ended;
  }

  #say(line: string): void {
    if (!this.#hasEnded) this.#input.write(`${line}\n`);
  }

  #hear(line: string): void {
    const [verb, number] = line.split(' ');
    const group = Number(number);
    if (verb === 'added') this.#groups.get(group)?.onAnswer();
    else if (verb === 'killed') this.#tellKilled(group, "the worker's session could not be trusted any longer");
  }

  #onEnd(): void {
    this.#hasEnded = true;
    for (const group of [...this.#groups.keys()]) {
      signalGroup(group, 'SIGKILL');
      this.#tellKilled(group, 'the guardian process ended');
    }
  }

  #tellKilled(group: number, why: string): void {
    const watched = this.#groups.get(group);
    this.#groups.delete(group);
    watched?.onKilled(why);
    watched?.onAnswer();
  }
}
