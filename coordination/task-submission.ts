// Creates tasks, so that a submit makes exactly one task or says that it does not know. A create whose answer was lost
// is not simply repeated: after a `sync` in the same session the task is looked for by its submit id among the names that
// are younger than the newest one known before. Not found there, where none of those is gone again, means that it was not applied,
// and only then it is sent again. Tasks that are submitted together are one transaction, and what holds for one holds for all of them.

import { limits } from '../domain/limits.ts';
import type { TaskId, TaskRecord } from '../domain/task.ts';
import { parseTaskId, taskNumber } from '../domain/task-id.ts';
import { ensureParents } from './bootstrap.ts';
import { CoordinationError } from './coordination-error.ts';
import { GroupCommit } from './group-commit.ts';
import type { Session } from './session.ts';
import { DependencyNotFound, existenceOf, type OutsideDependency, outsideDependencies } from './task-dependencies.ts';
import { encodeTask } from './task-record.ts';
import { type FoundTasks, type SequencePlace, TaskSearch } from './task-search.ts';
import { nextSequenceNumber, stepOver } from './task-sequence.ts';
import { paths } from './znode-paths.ts';
import type { Operation, OperationResult } from './zookeeper-requests.ts';

/** The sequence of `/tasks` has come to its end (contract section 1). */
export class SequenceExhausted extends Error {
  override readonly name = 'SequenceExhausted';
}

/** Names made by hand are stepped over, twice as many each time. */
const stepsMax = 10;
/** Links may break one after the other; whoever submits is told then rather than held. */
const triesMax = 3;

/** The name that comes next is taken; nothing was created. */
class NumberTaken extends Error {
  /** `place` is that of the task which should have got it. */
  constructor(readonly place: number) {
    super();
  }
}

/** What is submitted together does not fit into one transaction; nothing was sent. */
export class SubmitTooLarge extends Error {
  override readonly name = 'SubmitTooLarge';
}

export class TaskSubmission {
  readonly #session: Session;
  readonly #commits: GroupCommit;
  readonly #search: TaskSearch;
  /** No task that is created from now on has a lower number. */
  #nextNumber = 0;
  /** Of `/tasks` when that number was learned: removed and made again by hand, it counts from 0. */
  #tasksCzxid: bigint | null = null;

  constructor(session: Session) {
    this.#session = session;
    this.#commits = new GroupCommit(session);
    this.#search = new TaskSearch(session);
  }

  /** Learns where the sequence stands; to be awaited before the first submit of a session, harmless later. */
  async start(): Promise<void> {
    const stat = await this.#session.exists(paths.tasks);
    this.#nextNumber = stat ? nextSequenceNumber(stat) : 0;
    this.#tasksCzxid = stat?.czxid ?? null;
  }

  /** No task that is submitted from now on has a lower number. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /**
   * Creates all of `records`, with consecutive numbers, or none. They have one `submitId`, which must be unique. Throws
   * {@link CoordinationError}, {@link SequenceExhausted}, {@link SubmitTooLarge} and {@link DependencyNotFound}.
   */
  async submit(records: readonly TaskRecord[]): Promise<TaskId[]> {
    for (let tries = 1; ; tries += 1) {
      const since = { number: this.#nextNumber, tasksCzxid: this.#tasksCzxid };
      try {
        return await this.commit([], records);
      } catch (error) {
        if (!(error instanceof CoordinationError) || error.outcome !== 'unknown') throw error;
        const found = await this.#findSubmitted(records, since);
        if (found === 'maybe gone') throw error;
        if (found) return found.tasks;
        if (tries === triesMax || error.code !== 'connection_lost')
          throw new CoordinationError(error.code, 'not applied', 'the submit did not reach the ensemble');
        await this.start(); // so that the next search begins here
      }
    }
  }

  /**
   * Creates the tasks in one transaction with `before`, which comes first there: where that is refused, nothing is said of the
   * tasks to come after. The outcome of a failure may be unknown.
   */
  async commit(before: readonly Operation[], records: readonly TaskRecord[]): Promise<TaskId[]> {
    for (let steps = 0; ; steps += 1) {
      try {
        return await this.#commitOnce(before, records);
      } catch (error) {
        if (!(error instanceof NumberTaken)) throw error;
        if (steps === stepsMax) throw new SequenceExhausted();
        await stepOver(this.#session, error.place + 2 ** steps);
      }
    }
  }

  async #commitOnce(before: readonly Operation[], records: readonly TaskRecord[]): Promise<TaskId[]> {
    await this.#requireNumbers(records.length);
    const dependencies = outsideDependencies(records);
    const conditions = [...before, ...dependencies.map(existenceOf)];
    const creates = createOperations(records);
    try {
      const results = await this.#send([...conditions, ...creates], dependencies);
      const tasks = results.slice(conditions.length).map(({ path }) => createdTask(path));
      // Answers come in order, so a lower number than before means that `/tasks` was removed by hand and begins anew.
      this.#nextNumber = Math.max(...tasks.map(taskNumber)) + 1;
      return tasks;
    } catch (error) {
      const { code, operationIndex } =
        error instanceof CoordinationError ? error : { code: null, operationIndex: null };
      const missing = operationIndex === null ? undefined : dependencies[operationIndex - before.length];
      if (missing && code === 'no_node') throw new DependencyNotFound(missing);
      const atCreate = operationIndex !== null && operationIndex >= conditions.length;
      if (atCreate && code === 'node_exists') throw new NumberTaken(operationIndex - conditions.length);
      if (code === 'too_large') throw new SubmitTooLarge(`a transaction of ${limits.packetBytesMax} bytes at most`);
      if (atCreate && code === 'no_node') await ensureParents(this.#session); // removed by hand
      throw error;
    }
  }

  /** Somebody may have removed `/tasks` since: with the next one numbers begin anew. */
  async #requireNumbers(count: number): Promise<void> {
    const areUsedUp = () => this.#nextNumber + count > limits.taskNumberMax;
    if (areUsedUp()) await this.start();
    if (areUsedUp()) throw new SequenceExhausted();
  }

  /**
   * One that is refused delays all that share its transaction. So one that our server would refuse goes alone; the leader may
   * know better.
   */
  async #send(
    operations: readonly Operation[],
    dependencies: readonly OutsideDependency[],
  ): Promise<OperationResult[]> {
    const shown = await Promise.all(dependencies.map(({ task }) => this.#session.exists(paths.task(task))));
    return await (shown.includes(null) ? this.#session : this.#commits).commit(operations);
  }

  /** As {@link TaskSearch.byTransaction}; `number` is one that the tasks cannot come before. */
  findByTransaction(czxid: bigint, submitId: string, number: number): Promise<FoundTasks | null> {
    return this.#search.byTransaction(czxid, submitId, { number, tasksCzxid: this.#tasksCzxid });
  }

  /** What cannot be looked for stays unknown. */
  async #findSubmitted(
    records: readonly TaskRecord[],
    since: SequencePlace,
  ): Promise<FoundTasks | 'maybe gone' | null> {
    try {
      return await this.#search.bySubmitId(records[0]?.submitId ?? '', records.length, since);
    } catch (error) {
      if (!(error instanceof CoordinationError)) throw error;
      throw new CoordinationError(error.code, 'unknown', `looking for a submitted task: ${error.what}`);
    }
  }
}

function createOperations(records: readonly TaskRecord[]): Operation[] {
  const stored = records.map(encodeTask);
  const bytes = stored.reduce((sum, data) => sum + data.length, 0);
  if (bytes > limits.batchBytesMax)
    throw new SubmitTooLarge(`${bytes} bytes as stored, ${limits.batchBytesMax} at most`);
  return stored.map((data) => ({ kind: 'create', path: paths.taskPrefix, data, mode: 'sequential' }));
}

function createdTask(path: string | null): TaskId {
  const task = parseTaskId(path?.slice(paths.tasks.length + 1) ?? '');
  if (!task) throw new SequenceExhausted();
  return task;
}
