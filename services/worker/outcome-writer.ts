// Records how a run ended, once. Every refusal has one meaning and one answer: the assignment changed (look again), it
// is gone (nothing left to record), the task was taken away by force (our outcome comes too late), the task has its
// outcome already (only the assignment goes). An unknown answer is looked up, never guessed.

import { setTimeout as sleep } from 'node:timers/promises';
import type { AttemptLedger } from '../../coordination/attempt-ledger.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { Session } from '../../coordination/session.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { WorkerId } from '../../domain/task.ts';
import type { Log } from '../../runtime/log.ts';
import type { Ending } from './ending.ts';
import type { HeldAssignment } from './held-assignment.ts';

const pauseMs = 500;

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
   * `decide` is asked again whenever the assignment has changed, since a withdrawal changes what is to be recorded.
   * Resolves when the outcome stands or is not ours to record; rejects when the session ends before.
   */
  async write(held: HeldAssignment, taskVersion: number, decide: () => Promise<Ending> | Ending): Promise<void> {
    let ending = await decide();
    while (!held.isGone && ending.kind !== 'nothing') {
      try {
        return await this.#commit(held, taskVersion, ending);
      } catch (error) {
        if (!(error instanceof CoordinationError) || this.#session.signal.aborted) throw error;
        if (error.code === 'node_exists') ending = { kind: 'hand_back' };
        else ending = await this.#lookAgain(held, taskVersion, decide, error);
      }
    }
  }

  async #commit(held: HeldAssignment, taskVersion: number, ending: Ending): Promise<void> {
    const fence = { task: held.task, worker: this.#worker, taskVersion, assignmentVersion: held.version };
    if (ending.kind === 'outcome') await this.#ledger.end(fence, ending.status, ending.attempt);
    else if (ending.kind === 'hand_back') await this.#ledger.handBack(fence);
  }

  async #lookAgain(
    held: HeldAssignment,
    taskVersion: number,
    decide: () => Promise<Ending> | Ending,
    error: CoordinationError,
  ): Promise<Ending> {
    const { task } = held;
    const path = paths.assignment(this.#worker, task);
    await this.#session.sync(path);
    const before = held.version;
    held.update(await this.#session.getData(path));
    const found = await this.#session.exists(paths.task(task));
    if (!found) return { kind: 'hand_back' }; // the task was deleted while it ran
    if (found.version !== taskVersion) {
      this.#log.warn({ task }, 'the task was taken away while it ran; its outcome is dropped');
      return { kind: 'hand_back' };
    }
    if (held.version === before && error.outcome === 'not applied') {
      this.#log.warn({ err: error, task }, 'an outcome was refused, trying again');
      await sleep(pauseMs);
    }
    return decide();
  }
}
