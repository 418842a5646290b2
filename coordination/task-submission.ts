// Creates tasks, so that a submit makes exactly one task or says that it does not know. A create whose answer was lost
// is never repeated: after a `sync` in the same session the task is looked for by its submit id among the names that
// are younger than the newest one known before. Not found there means that it was not applied.

import { limits } from '../domain/limits.ts';
import type { TaskId, TaskRecord } from '../domain/task.ts';
import { ensureParents } from './bootstrap.ts';
import { CoordinationError } from './coordination-error.ts';
import { GroupCommit } from './group-commit.ts';
import type { Stat } from './jute.ts';
import type { Session } from './session.ts';
import { parseTaskId, paths, taskNumber } from './znode-paths.ts';
import { decodeTask, encodeTask } from './znode-records.ts';
import type { Operation } from './zookeeper-requests.ts';

/** The sequence of `/tasks` has come to its end (contract section 1). */
export class SequenceExhausted extends Error {
  override readonly name = 'SequenceExhausted';
}

const readsAtOnce = 64;

export class TaskSubmission {
  readonly #session: Session;
  readonly #commits: GroupCommit;
  /** No task that is created from now on has a lower number. */
  #nextNumber = 0;
  /** Of `/tasks` when that number was learned: removed and made again by hand, it counts from 0. */
  #tasksCzxid: bigint | null = null;
  #sharedLook: Promise<Look> | null = null;

  constructor(session: Session) {
    this.#session = session;
    this.#commits = new GroupCommit(session);
  }

  /** Learns where the sequence stands; to be awaited before the first submit of a session, harmless later. */
  async start(): Promise<void> {
    const stat = await this.#session.exists(paths.tasks);
    if (stat) this.#nextNumber = nextSequenceNumber(stat);
    this.#tasksCzxid = stat?.czxid ?? null;
  }

  /** No task that is submitted from now on has a lower number. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** `submitId` must be set and unique. Throws {@link CoordinationError} or {@link SequenceExhausted}. */
  async submit(record: TaskRecord): Promise<TaskId> {
    const since = this.#nextNumber;
    try {
      return await this.commit([], record);
    } catch (error) {
      if (!(error instanceof CoordinationError) || error.outcome !== 'unknown') throw error;
      const found = await this.find(since, (candidate) => candidate.submitId === record.submitId);
      if (found) return found.task;
      throw new CoordinationError(error.code, 'not applied', 'the submit did not reach the ensemble');
    }
  }

  /** Creates the task in one transaction with `before`; the outcome of a failure may be unknown. */
  async commit(before: readonly Operation[], record: TaskRecord): Promise<TaskId> {
    if (this.#nextNumber >= limits.taskNumberMax) throw new SequenceExhausted();
    const data = encodeTask(record);
    const create: Operation = { kind: 'create', path: paths.taskPrefix, data, mode: 'sequential' };
    try {
      const results = await this.#commits.commit([...before, create]);
      const task = parseTaskId(results.at(-1)?.path?.slice(paths.tasks.length + 1) ?? '');
      if (!task) throw new SequenceExhausted();
      // Answers come in order, so a lower number than before means that `/tasks` was removed by hand and begins anew.
      this.#nextNumber = taskNumber(task) + 1;
      return task;
    } catch (error) {
      const atCreate = error instanceof CoordinationError && error.operationIndex === before.length;
      if (atCreate && error.code === 'node_exists') throw new SequenceExhausted();
      if (atCreate && error.code === 'no_node') await ensureParents(this.#session); // removed by hand
      throw error;
    }
  }

  /**
   * The oldest task from number `since` on that `matches`; null is conclusive for what this session sent before. Throws
   * {@link CoordinationError} with outcome `unknown` where the search could not be finished.
   */
  async find(since: number, matches: (candidate: Candidate) => boolean): Promise<FoundTask | null> {
    try {
      const { tasks, beginsAnew, read } = await this.#look();
      const younger = beginsAnew ? tasks : tasks.filter((task) => taskNumber(task) >= since);
      for (let first = 0; first < younger.length; first += readsAtOnce) {
        const candidates = await Promise.all(younger.slice(first, first + readsAtOnce).map(read));
        const found = candidates.find((candidate) => candidate && matches(candidate));
        if (found) return found;
      }
      return null;
    } catch (error) {
      if (!(error instanceof CoordinationError)) throw error;
      throw new CoordinationError(error.code, 'unknown', `looking for a submitted task: ${error.message}`);
    }
  }

  /** One for all searches that begin in the same turn: a link that breaks leaves many at once. */
  #look(): Promise<Look> {
    if (!this.#sharedLook) {
      this.#sharedLook = this.#newLook();
      setImmediate(() => {
        this.#sharedLook = null;
      });
    }
    return this.#sharedLook;
  }

  async #newLook(): Promise<Look> {
    await this.#session.sync(paths.tasks);
    const listed = await this.#session.getChildren(paths.tasks);
    const tasks = (listed?.children ?? []).map(parseTaskId).filter((task) => task !== null);
    const reads = new Map<TaskId, Promise<Candidate | null>>();
    const read = (task: TaskId) => {
      const reading = reads.get(task) ?? this.#candidate(task);
      reads.set(task, reading);
      return reading;
    };
    tasks.sort((a, b) => taskNumber(a) - taskNumber(b));
    return { tasks, beginsAnew: listed?.stat.czxid !== this.#tasksCzxid, read };
  }

  async #candidate(task: TaskId): Promise<Candidate | null> {
    const znode = await this.#session.getData(paths.task(task));
    if (!znode) return null;
    const { czxid, ctime } = znode.stat;
    const reading = decodeTask(znode.data, ctime);
    return reading.kind === 'task' ? { task, createdAt: ctime, czxid, submitId: reading.record.submitId } : null;
  }
}

/** The tasks as they were at one moment; each is read once, when the first search comes to it. */
interface Look {
  /** By number. */
  readonly tasks: readonly TaskId[];
  /** `/tasks` is not the one whose numbers we knew. */
  readonly beginsAnew: boolean;
  read(task: TaskId): Promise<Candidate | null>;
}

export interface Candidate extends FoundTask {
  readonly czxid: bigint;
  readonly submitId: string | null;
}

export interface FoundTask {
  readonly task: TaskId;
  readonly createdAt: number;
}

/**
 * What the next sequential child gets: the server numbers them by the creations below the parent, and shows
 * cversion = 2 * creations - children in 32 bits, which is negative after 2^30 of them.
 */
export function nextSequenceNumber({ cversion, numChildren }: Pick<Stat, 'cversion' | 'numChildren'>): number {
  return ((cversion + numChildren) >>> 0) / 2;
}
