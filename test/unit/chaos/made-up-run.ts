// A chaos run made up step by step: what a correct system would do, its record and the tree that it leaves. Time passes only where a
// test says so. Tests of the judge let it happen, and forge what is to be found.

import { judge } from '../../../chaos/judge/judge.ts';
import type { Verdict } from '../../../chaos/judge/verdict.ts';
import type {
  Call,
  CallOutcome,
  CallRequest,
  Entry,
  FaultName,
  ProcessEvent,
  RunLine,
  SeenTask,
} from '../../../chaos/record.ts';
import type { TaskId } from '../../../domain/task.ts';
import { type Assigned, MadeUpTasks, type Spec } from './made-up-tasks.ts';

const workers = ['worker1', 'worker2', 'worker3', 'worker4'] as const;
const roles = {
  master: ['master1', 'master2', 'master3'],
  worker: workers,
  gateway: ['gateway1', 'gateway2'],
  zookeeper: ['zookeeper1', 'zookeeper2', 'zookeeper3'],
} as const;

export const sessionTimeoutMs = 6000;

export interface CallOptions {
  readonly gateway?: string;
  readonly face?: Call['face'];
  /** The answer comes so long after it was sent. */
  readonly tookMs?: number;
}

export interface SubmitOptions extends CallOptions {
  readonly key?: string;
  /** `unknown`: it was made, and nobody knows; `lost`: it was not. */
  readonly answer?: 'yes' | 'unknown' | 'lost';
}

export const unknown = { is: 'unknown', reason: 'outcome-unknown' } as const;
export const refused = (reason: string) => ({ is: 'no', reason }) as const;

export function submitOf(specs: readonly Spec[], key: string | null = null): CallRequest & { operation: 'submit' } {
  return { operation: 'submit', key, tasks: specs, batch: specs.length > 1, waitMs: null };
}

export class MadeUpRun extends MadeUpTasks {
  readonly entries: Entry[] = [];
  readonly #pids = new Map<string, number>();
  readonly #pidsOfRuns = new Map<string, number>();
  #lastPid = 1000;
  #faults = 0;
  #markers = 0;

  constructor() {
    super();
    this.entries.push({ kind: 'began', at: this.at, epochMs: this.epochMs, seed: '1', sessionTimeoutMs });
    for (const worker of workers) this.register(worker);
    for (const [role, ids] of Object.entries(roles))
      for (const id of ids) this.#start(id, role as ProcessEvent['role']);
  }

  /** Everything is whole again, and nothing goes on. */
  judged(): Verdict {
    this.pass(1000);
    return judge([...this.entries, { kind: 'ended', at: this.at, epochMs: this.epochMs }], this.tree.snapshot);
  }

  pidOf(id: string): number {
    return this.#pids.get(id) ?? 0;
  }

  // ---------------------------------------------------------------- calls

  call(request: CallRequest, outcome: CallOutcome, options: CallOptions = {}): Call {
    const { gateway = 'gateway1', face = 'http', tookMs = 5 } = options;
    const call: Call = { kind: 'call', face, gateway, from: this.at - tookMs, to: this.at, request, outcome };
    this.entries.push(call);
    return call;
  }

  /** Made by one submit, which is answered so. */
  submit(specs: readonly Spec[], options: SubmitOptions = {}): TaskId[] {
    const { key = null, answer = 'yes' } = options;
    const ids = answer === 'lost' ? [] : this.make(specs, key);
    this.call(submitOf(specs, key), answer === 'yes' ? this.yes(...ids) : unknown, options);
    return ids;
  }

  /** One task of a type that leaves evidence. */
  task(spec: Partial<Spec> = {}, options: SubmitOptions = {}): TaskId {
    this.#markers += 1;
    const [id] = this.submit([{ marker: `m${this.#markers}`, type: 'long', ...spec }], options);
    return id as TaskId;
  }

  /** Somebody looks at the task as it is now. */
  see(id: string, options: CallOptions = {}): Call {
    const tasks = [this.seen(id)];
    return this.call({ operation: 'get', id, waitMs: null }, { is: 'yes', tasks }, options);
  }

  /** `created`: of what makes tasks. */
  yes(...ids: string[]): CallOutcome & { readonly is: 'yes' } {
    return { is: 'yes', tasks: ids.map((id) => this.seen(id)), created: true };
  }

  repeated(...ids: string[]): CallOutcome & { readonly is: 'yes' } {
    return { ...this.yes(...ids), created: false };
  }

  done(...ids: string[]): CallOutcome & { readonly is: 'yes' } {
    return { is: 'yes', tasks: ids.map((id) => this.seen(id)) };
  }

  /** A stream that showed these. */
  watched(id: string, ...tasks: readonly Partial<SeenTask>[]): Call {
    const shown = tasks.map((task) => ({ ...this.seen(id), finishedAt: null, errorCode: null, ...task }));
    return this.call({ operation: 'watch', id }, { is: 'yes', tasks: shown }, { tookMs: 50 });
  }

  // ---------------------------------------------------------------- evidence

  /** By the process that its worker was when the run began. */
  line(run: Assigned, line: RunLine['line'], how?: RunLine['how']): void {
    const { id, attempt, token } = run;
    const who = { task: id, attempt, token: String(token), pid: this.#pidOfRun(run) };
    this.entries.push({ kind: 'run', line, ...who, at: this.at, ...(how && { how }) });
  }

  #pidOfRun({ id, worker, token }: Assigned): number {
    const run = `${id} ${token}`;
    const pid = this.#pidsOfRuns.get(run) ?? this.pidOf(worker);
    this.#pidsOfRuns.set(run, pid);
    return pid;
  }

  /** Its handler begins, and beats until it is told otherwise. */
  starts(run: Assigned, forMs: number): void {
    this.line(run, 'start');
    this.beats(run, forMs);
  }

  beats(run: Assigned, forMs: number): void {
    for (let passed = 25; passed <= forMs; passed += 25) {
      this.pass(25);
      this.line(run, 'beat');
    }
  }

  /** From its assignment to its success. */
  runs(id: string, worker: string, forMs = 50): Assigned {
    const run = this.assign(id, worker);
    this.pass(2);
    this.starts(run, forMs);
    this.returns(run);
    return run;
  }

  /** The handler ends, and what it returns is accepted. */
  returns(run: Assigned): void {
    this.line(run, 'end', 'returned');
    this.succeed(run, this.#pidOfRun(run));
  }

  throws(run: Assigned): void {
    this.line(run, 'end', 'threw');
    const error = { code: 'handler_error', message: 'not yet' } as const;
    this.end(run, { kind: 'failed', error, retryable: true, retryAfterMs: null });
  }

  // ---------------------------------------------------------------- what is broken

  /** Begun and over between two moments, of which the second may be still to come. */
  fault(fault: FaultName, targets: readonly string[], from: number, to: number): void {
    this.#faults += 1;
    const both = { kind: 'fault', n: this.#faults, fault, targets, from } as const;
    this.entries.push({ ...both, to: null }, { ...both, to });
  }

  /** Gone at once, and there again after a while; `fault` is what the record is told. */
  kill(id: string, backMs: number, fault: FaultName = 'kill'): void {
    this.fault(fault, [id], this.at, this.at + backMs);
    const role = Object.entries(roles).find(([, ids]) => (ids as readonly string[]).includes(id))?.[0];
    const event = { kind: 'process', id, role: role as ProcessEvent['role'], pid: this.pidOf(id) } as const;
    const ended = fault === 'stop' ? { code: 0, signal: null } : { code: null, signal: 'SIGKILL' };
    this.entries.push({ ...event, event: 'exited', at: this.at, ...ended });
    this.#start(id, event.role, this.at + backMs);
  }

  #start(id: string, role: ProcessEvent['role'], at = this.at): void {
    this.#lastPid += 1;
    this.#pids.set(id, this.#lastPid);
    this.entries.push({ kind: 'process', role, id, pid: this.#lastPid, event: 'started', at });
  }
}

/** With one task that has run, and was seen. */
export function oneEnded(): { run: MadeUpRun; id: TaskId } {
  const run = new MadeUpRun();
  const id = run.task();
  run.runs(id, 'worker1');
  run.see(id);
  return { run, id };
}
