// The record of a chaos run: what was asked and answered, what was broken, which processes lived when, and what handlers saw
// with their own eyes. It is written while the run goes on, a line of JSON for each entry, and the judge reads nothing but these lines and
// the tree that was left; so a run can be judged again without the system. Pure.

/**
 * Milliseconds since the machine was started (CLOCK_MONOTONIC, `process.hrtime`): the same for every process on it, whatever
 * happens to the wall clock.
 */
export type Moment = number;

export type Entry = Began | Ended | Call | Fault | ProcessEvent | RunLine | Leftover | Picture | EnsembleBug;

// ---------------------------------------------------------------- the run itself

/** The first line. */
export interface Began {
  readonly kind: 'began';
  readonly at: Moment;
  /** What the wall clock said then, epoch ms. */
  readonly epochMs: number;
  readonly seed: string;
  /** Of masters, workers and gateways. */
  readonly sessionTimeoutMs: number;
}

/**
 * The last line: all that was broken is whole again, every process lives, traffic has ended, and no task is left that could still go on (or
 * the patience for that is over). The tree is read then; only after that is anything stopped. A record without it is cut off.
 */
export interface Ended {
  readonly kind: 'ended';
  readonly at: Moment;
  readonly epochMs: number;
}

// ---------------------------------------------------------------- calls

/** One call of a client, written when its outcome is known. */
export interface Call {
  readonly kind: 'call';
  readonly face: 'http' | 'grpc';
  /** Id of the gateway that was asked. */
  readonly gateway: string;
  readonly from: Moment;
  readonly to: Moment;
  readonly request: CallRequest;
  readonly outcome: CallOutcome;
}

export type CallRequest =
  | {
      readonly operation: 'submit';
      readonly key: string | null;
      /** More than one, or `batch`: all or nothing. */
      readonly tasks: readonly SubmittedTask[];
      readonly batch: boolean;
      readonly waitMs: number | null;
    }
  /** The new task has the marker of the old one. */
  | { readonly operation: 'retry'; readonly id: string; readonly key: string | null }
  | { readonly operation: 'get'; readonly id: string; readonly waitMs: number | null }
  /** A stream until its end: its tasks are what was shown, in order. */
  | { readonly operation: 'watch'; readonly id: string }
  | { readonly operation: 'cancel'; readonly id: string }
  | { readonly operation: 'delete'; readonly id: string }
  /** A list, counts, an explanation, the settings of a queue, a schedule: all that matters of it is whether it was refused wrongly. */
  | { readonly operation: 'other'; readonly what: string };

/** The spec as it was sent; what judging needs is named, the rest belongs to the traffic that made it. */
export interface SubmittedTask {
  /** Label `marker`: unique in the run, by which the tree tells what a submit has made. A repeated submit has the same. */
  readonly marker: string;
  readonly type: string;
  readonly queue?: string;
  readonly priority?: number;
  readonly delayMs?: number;
  readonly deadlineMs?: number;
  readonly timeoutMs?: number;
  readonly maxAttempts?: number;
  readonly exclusiveKey?: string;
  readonly after?: readonly (string | number)[];
  readonly payload?: unknown;
}

/**
 * `yes`: it was done, and this was answered. `no`: it was refused, so nothing was done. `unknown`: the answer says so (`outcome-unknown`), or
 * there was none. What only reads is never unknown: it is `no` where it got no answer.
 */
export type CallOutcome =
  | {
      readonly is: 'yes';
      readonly tasks: readonly SeenTask[];
      /** Submits and retries: false where the key had made it before. */
      readonly created?: boolean;
    }
  /** A reason that begins with {@link wrongRefusal}: no call of the traffic may ever be answered so (a bug: 500, a request that does not fit). */
  | { readonly is: 'no'; readonly reason: string }
  | { readonly is: 'unknown'; readonly reason: string };

export const wrongRefusal = 'wrong: ';

/** A task as an answer showed it. */
export interface SeenTask {
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
  readonly worker: string | null;
  readonly errorCode: string | null;
  readonly finishedAt: string | null;
}

// ---------------------------------------------------------------- what was broken

/** Written when it begins, and once more, with `to`, when it is over. */
export interface Fault {
  readonly kind: 'fault';
  /** From 1; the same in both lines. */
  readonly n: number;
  readonly fault: FaultName;
  /** Ids of processes: master1, worker3, gateway2, zookeeper1. That of a worker is its `WORKER_ID`, too. */
  readonly targets: readonly string[];
  readonly from: Moment;
  readonly to: Moment | null;
}

export type FaultName =
  /** kill -9; it is started again at the end. */
  | 'kill'
  /** SIGSTOP, then SIGCONT: longer than the session's timeout. */
  | 'freeze'
  /** The same, shorter. */
  | 'doze'
  /** SIGTERM; it is started again at the end. */
  | 'stop'
  /** Of its links to the ensemble: broken, and new ones refused. */
  | 'cut'
  /** Open, and nothing passes. */
  | 'silence'
  /** Nothing passes to the ensemble, what comes from there does. */
  | 'deaf-ensemble'
  /** The other way round. */
  | 'deaf-process'
  | 'slow'
  /** The next transactions are applied, their answers lost and the links broken. */
  | 'swallow'
  /** Two of three servers killed, or frozen. */
  | 'no-quorum'
  /** A server that can write nothing more. */
  | 'disk-full'
  /** The links of one server to all processes refused: they move to another. */
  | 'refusing-server';

/** A process of the system began or ended. */
export interface ProcessEvent {
  readonly kind: 'process';
  readonly role: 'master' | 'worker' | 'gateway' | 'zookeeper';
  /** master1 stays master1 when it is started again, with another pid. */
  readonly id: string;
  readonly pid: number;
  readonly event: 'started' | 'exited';
  readonly at: Moment;
  /** Of an exit. */
  readonly code?: number | null;
  readonly signal?: string | null;
}

// ---------------------------------------------------------------- what handlers saw

/**
 * A line that a handler wrote itself, past the system, into a file that is only appended to. A run is its lines of one task and token: `start` first,
 * `beat` every few ms as long as it acts, `end` where it comes to its end. After a kill there is no end: the last line is as far as it came.
 */
export interface RunLine {
  readonly kind: 'run';
  readonly line: 'start' | 'beat' | 'end';
  readonly task: string;
  readonly attempt: number;
  /** Decimal; grows from assignment to assignment over the whole system. */
  readonly token: string;
  /** Of the worker: its process events say which one that is. */
  readonly pid: number;
  readonly at: Moment;
  /** Of an end. `aborted`: its signal ended it. */
  readonly how?: 'returned' | 'threw' | 'aborted';
}

// ---------------------------------------------------------------- what is left at the end

/** What a process holds, counted by kind (`watches`, `timers`, `files`): before there was any traffic, and after all of it. */
export interface Leftover {
  readonly kind: 'leftover';
  readonly id: string;
  readonly baseline: Readonly<Record<string, number>>;
  readonly end: Readonly<Record<string, number>>;
}

/** The picture of a master compared with a fresh read of the tree; a line for each difference. */
export interface Picture {
  readonly kind: 'picture';
  readonly id: string;
  readonly differences: readonly string[];
}

/** A server of the ensemble broke down in itself, where it agrees with the others: it may have lost what was committed. */
export interface EnsembleBug {
  readonly kind: 'ensemble-bug';
  readonly id: string;
  /** The method of ZooKeeper. */
  readonly where: string;
}
