// Records how a run ended, once. Every refusal has one meaning and one answer: the assignment changed (look again), it
// is gone (nothing left to record), the task was taken away by force (our outcome comes too late), the task has its
// outcome already (only the assignment goes), the number of the attempt is taken (the next one), the result is too large
// (a failure of that name). An unknown answer is looked up, never guessed; what no repetition mends is the caller's.

import { setTimeout as sleep } from 'node:timers/promises';
import type { AttemptLedger } from '../../coordination/attempt-ledger.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { Session } from '../../coordination/session.ts';
import { parseAttemptName, paths } from '../../coordination/znode-paths.ts';
import type { WorkerId } from '../../domain/task.ts';
import type { Log } from '../../runtime/log.ts';
import type { Ending } from './ending.ts';
import type { HeldAssignment } from './held-assignment.ts';
import { mayPass, whileSessionLives } from './while-session-lives.ts';

const pauseMs = 500;

/** What an ending has to keep to, as earlier refusals have taught. */
export interface EndingTerms {
  /** For the record of the attempt: the run's own number, or a later one that is free. */
  readonly attempt: number;
  /** The ending was larger than a packet. */
  readonly isTooLarge: boolean;
}

export interface EndedRun {
  /** Of the task as the run read it. */
  readonly taskVersion: number;
  readonly attempt: number;
  /** Asked again after each refusal: a withdrawal, say, changes what is to be recorded. */
  readonly decide: (terms: EndingTerms) => Promise<Ending> | Ending;
}

interface RefusedCommit {
  readonly error: CoordinationError;
  /** Of the assignment, which the commit had as a condition; a watch may have brought a newer one meanwhile. */
  readonly version: number;
}

export class OutcomeWriter {
  readonly #session: Session;
  readonly #ledger: AttemptLedger;
  readonly #worker: WorkerId;
  readonly #log: Log;

  constructor(session: Session, ledger: AttemptLedger, worker: WorkerId, log: Log) {
    this.#session = session;
    this.#ledger = ledger;
    this.#worker = worker;
    this.#log = log;
  }

  /**
   * Resolves when the outcome stands or is not ours to record. Rejects when the session ends before, and with a refusal
   * that would be the same each time; the assignment then stays.
   */
  async write(held: HeldAssignment, run: EndedRun): Promise<void> {
    let terms: EndingTerms = { attempt: run.attempt, isTooLarge: false };
    while (!held.isGone) {
      const ending = await run.decide(terms);
      if (ending.kind === 'nothing') return;
      const { version } = held;
      try {
        return await this.#commit(held, run.taskVersion, ending);
      } catch (error) {
        if (!(error instanceof CoordinationError) || this.#session.signal.aborted) throw error;
        const next = await this.#termsAfter({ error, version }, held, run.taskVersion, terms);
        if (!next) return this.handBack(held);
        terms = next;
      }
    }
  }

  /** Gives the task back without an attempt having counted. Rejects as {@link write} does. */
  async handBack(held: HeldAssignment): Promise<void> {
    while (!held.isGone) {
      const { version } = held;
      try {
        return await this.#commit(held, 0, { kind: 'hand_back' });
      } catch (error) {
        if (!(error instanceof CoordinationError) || this.#session.signal.aborted || !mayPass(error)) throw error;
        await this.#lookAgain(held, { error, version });
      }
    }
  }

  async #commit(held: HeldAssignment, taskVersion: number, ending: Ending): Promise<void> {
    const fence = { task: held.task, worker: this.#worker, taskVersion, assignmentVersion: held.version };
    if (ending.kind === 'outcome') await this.#ledger.end(fence, ending.status, ending.attempt);
    else if (ending.kind === 'hand_back') await this.#ledger.handBack(fence);
  }

  /** Null where nothing is ours to record any more. Throws the refusal that no other terms would change. */
  async #termsAfter(
    refused: RefusedCommit,
    held: HeldAssignment,
    taskVersion: number,
    terms: EndingTerms,
  ): Promise<EndingTerms | null> {
    const { error } = refused;
    if (error.code === 'too_large' && !terms.isTooLarge) {
      this.#log.warn(
        { err: error, task: held.task },
        'the outcome is too large to be kept: the attempt fails with that',
      );
      return { ...terms, isTooLarge: true };
    }
    if (!mayPass(error) && error.code !== 'node_exists') throw error;
    await this.#lookAgain(held, refused);
    const { task } = held;
    const found = await whileSessionLives(this.#session, () => this.#session.getChildren(paths.task(task)));
    if (!found) return null; // the task was deleted while it ran
    if (found.stat.version !== taskVersion) {
      this.#log.warn({ task }, 'the task was taken away while it ran; its outcome is dropped');
      return null;
    }
    if (error.code !== 'node_exists') return terms;
    // Either of the two that an outcome creates may be there, made by hand or by somebody else's worker.
    return found.children.includes('status') ? null : { ...terms, attempt: freeNumber(found.children, terms.attempt) };
  }

  /** What has changed since the commit was made is why it was refused; if nothing has, time may mend it. */
  async #lookAgain(held: HeldAssignment, { error, version }: RefusedCommit): Promise<void> {
    const { task } = held;
    const path = paths.assignment(this.#worker, task);
    const znode = await whileSessionLives(this.#session, async () => {
      await this.#session.sync(path);
      return this.#session.getData(path);
    });
    held.update(znode);
    const isTheSame = !held.isGone && held.version === version;
    if (!isTheSame || error.outcome === 'unknown' || error.code === 'node_exists') {
      this.#log.debug({ err: error, task }, 'an outcome was not accepted as things were; it is decided anew');
      return;
    }
    this.#log.warn({ err: error, task }, 'an outcome was refused, trying again');
    await sleep(pauseMs);
  }
}

/** The first number from `attempt` on that no attempt of the task has. */
function freeNumber(names: readonly string[], attempt: number): number {
  const taken = new Set(names.map(parseAttemptName));
  let free = attempt;
  while (taken.has(free)) free += 1;
  return free;
}
