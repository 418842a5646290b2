// Creates tasks, so that a submit makes exactly one task or says that it does not know. A create whose answer was lost
// is never repeated: after a `sync` in the same session the task is looked for by its submit id among the names that
// are younger than the newest one known before. Not found there means that it was not applied. Tasks that are submitted
// together are one transaction, and what holds for one holds for all of them.

import { limits } from '../domain/limits.ts';
import type { TaskId, TaskRecord } from '../domain/task.ts';
import { ensureParents } from './bootstrap.ts';
import { CoordinationError } from './coordination-error.ts';
import { GroupCommit } from './group-commit.ts';
import type { Stat } from './jute.ts';
import type { Session } from './session.ts';
import { parseTaskId, paths, taskIdOf, taskNumber } from './znode-paths.ts';
import { decodeTask, encodeTask } from './znode-records.ts';
import type { Operation } from './zookeeper-requests.ts';

/** The sequence of `/tasks` has come to its end (contract section 1). */
export class SequenceExhausted extends Error {
  override readonly name = 'SequenceExhausted';
}

/** What is submitted together does not fit into one transaction; nothing was sent. */
export class SubmitTooLarge extends Error {
  override readonly name = 'SubmitTooLarge';
}

const readsAtOnce = 64;
/** Names that are read one after the other group, where a search begins close to what it looks for. */
const nearby = [1, 31] as const;

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

  /**
   * Creates all of `records`, with consecutive numbers, or none. They have one `submitId`, which must be unique. Throws
   * {@link CoordinationError}, {@link SequenceExhausted} and {@link SubmitTooLarge}.
   */
  async submit(records: readonly TaskRecord[]): Promise<TaskId[]> {
    const since = this.#nextNumber;
    try {
      return await this.commit([], records);
    } catch (error) {
      if (!(error instanceof CoordinationError) || error.outcome !== 'unknown') throw error;
      const found = await this.#findSubmitted(since, records[0]?.submitId ?? null);
      if (found) return found.tasks;
      throw new CoordinationError(error.code, 'not applied', 'the submit did not reach the ensemble');
    }
  }

  /** Creates the tasks in one transaction with `before`; the outcome of a failure may be unknown. */
  async commit(before: readonly Operation[], records: readonly TaskRecord[]): Promise<TaskId[]> {
    if (this.#nextNumber + records.length > limits.taskNumberMax) throw new SequenceExhausted();
    const creates = createOperations(records);
    try {
      const results = await this.#commits.commit([...before, ...creates]);
      const tasks = results.slice(before.length).map(({ path }) => createdTask(path));
      // Answers come in order, so a lower number than before means that `/tasks` was removed by hand and begins anew.
      this.#nextNumber = Math.max(...tasks.map(taskNumber)) + 1;
      return tasks;
    } catch (error) {
      const { code, operationIndex } =
        error instanceof CoordinationError ? error : { code: null, operationIndex: null };
      const atCreate = operationIndex !== null && operationIndex >= before.length;
      if (atCreate && code === 'node_exists') throw new SequenceExhausted();
      if (code === 'too_large') throw new SubmitTooLarge(`a transaction of ${limits.packetBytesMax} bytes at most`);
      if (atCreate && code === 'no_node') await ensureParents(this.#session); // removed by hand
      throw error;
    }
  }

  /**
   * The tasks that were submitted together of which one, from number `since` on, `matches`; null is conclusive for what this
   * session sent before. Throws {@link CoordinationError} where the search could not be finished.
   */
  async find(since: number, matches: (candidate: Candidate) => boolean): Promise<FoundTasks | null> {
    const { tasks, beginsAnew, read } = await this.#look();
    const younger = beginsAnew ? tasks : tasks.filter((task) => taskNumber(task) >= since);
    for (let first = 0; first < younger.length; first += readsAtOnce) {
      const candidates = await Promise.all(younger.slice(first, first + readsAtOnce).map(read));
      const found = candidates.find((candidate) => candidate && matches(candidate));
      if (found) return foundTasks(found);
    }
    return null;
  }

  /**
   * As {@link find}, among the few names from `since` on, without a list of all that there are: null proves nothing. What
   * this session has seen something of is found, as one transaction made all of it.
   */
  async findNear(since: number, matches: (candidate: Candidate) => boolean): Promise<FoundTasks | null> {
    let first = since;
    for (const count of nearby) {
      const names = Array.from({ length: count }, (_, place) => taskIdOf(first + place));
      const candidates = await Promise.all(names.map((task) => this.#candidate(task)));
      const found = candidates.find((candidate) => candidate && matches(candidate));
      if (found) return foundTasks(found);
      first += count;
    }
    return null;
  }

  /** What cannot be looked for stays unknown. */
  async #findSubmitted(since: number, submitId: string | null): Promise<FoundTasks | null> {
    try {
      return await this.find(since, (candidate) => candidate.submitId === submitId);
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
    if (reading.kind !== 'task') return null;
    const { submitId, batch } = reading.record;
    return { task, createdAt: ctime, czxid, submitId, batch };
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

export interface Candidate extends Pick<TaskRecord, 'submitId' | 'batch'> {
  readonly task: TaskId;
  readonly createdAt: number;
  readonly czxid: bigint;
}

/** What one transaction created. */
export interface FoundTasks {
  /** In the order in which they were submitted; not all need to be there any more. */
  readonly tasks: TaskId[];
  readonly createdAt: number;
  readonly czxid: bigint;
}

/** The numbers of a batch are consecutive, so one of its tasks tells of all. */
function foundTasks({ task, createdAt, czxid, batch }: Candidate): FoundTasks {
  const { index, size } = batch ?? { index: 0, size: 1 };
  const first = taskNumber(task) - index;
  const tasks = Array.from({ length: size }, (_, place) => (place === index ? task : taskIdOf(first + place)));
  return { tasks, createdAt, czxid };
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

/**
 * What the next sequential child gets: the server numbers them by the creations below the parent, and shows
 * cversion = 2 * creations - children in 32 bits, which is negative after 2^30 of them.
 */
export function nextSequenceNumber({ cversion, numChildren }: Pick<Stat, 'cversion' | 'numChildren'>): number {
  return ((cversion + numChildren) >>> 0) / 2;
}
