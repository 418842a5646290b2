// Finds tasks that somebody submitted and does not know the names of: after an answer was lost, or by an idempotency key. What
// was submitted together is one transaction with one submit id and consecutive numbers, so one of it tells of all.

import type { TaskId, TaskRecord } from '../domain/task.ts';
import { parseTaskId, taskIdOf, taskNumber } from '../domain/task-id.ts';
import type { Session } from './session.ts';
import { decodeTask } from './task-record.ts';
import { nextSequenceNumber } from './task-sequence.ts';
import { ifAllowed, readable, UnreadableTask } from './unreadable-task.ts';
import { paths } from './znode-paths.ts';

const readsAtOnce = 64;
/** Sizes of the groups of names that are tried before all tasks are listed. */
const nearby = [1, 31] as const;

/** What one transaction created. */
export interface FoundTasks {
  /** In the order in which they were submitted; not all need to be there any more. */
  readonly tasks: TaskId[];
  readonly createdAt: number;
  readonly czxid: bigint;
}

interface Candidate extends Pick<TaskRecord, 'submitId' | 'batch'> {
  readonly task: TaskId;
  readonly createdAt: number;
  readonly czxid: bigint;
}

/** Where the sequence of `/tasks` stood at some time. */
export interface SequencePlace {
  /** What is looked for has no lower number. */
  readonly number: number;
  /** Of `/tasks` then: removed and made again by hand, it counts from 0. */
  readonly tasksCzxid: bigint | null;
}

export class TaskSearch {
  readonly #session: Session;
  #sharedLook: Promise<Look> | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * The `size` tasks that this session sent together, since the sequence stood at `since`. Null: they were not made. `maybe gone`: so many
   * of those that were made since are not there any more that these may be among them. Throws CoordinationError where it cannot be finished.
   */
  async bySubmitId(submitId: string, size: number, since: SequencePlace): Promise<FoundTasks | 'maybe gone' | null> {
    const look = await this.#look();
    const isIt = (candidate: Candidate) => candidate.submitId === submitId;
    const younger = youngerThan(since, look);
    let missing = look.nextNumber - firstNumber(since, look);
    for (const names of groupsOf(readsAtOnce, younger)) {
      const read = await Promise.all(names.map((task) => look.read(task)));
      // One that cannot be read is not what this session sent.
      const found = read.find(isCandidate(isIt));
      if (found) return foundTasks(found);
      missing -= names.filter((task, place) => read[place] && isNumbered(task, look)).length;
    }
    return missing >= size ? 'maybe gone' : null;
  }

  /**
   * What was created by transaction `czxid` with `submitId`, where this session has seen something of that transaction. Its
   * place is known well enough mostly; else names are listed, whose transactions grow with their numbers, but for
   * those that a person made. Null is conclusive. Throws CoordinationError where it cannot be finished, and UnreadableTask where
   * what that transaction made cannot be read.
   */
  async byTransaction(czxid: bigint, submitId: string, since: SequencePlace): Promise<FoundTasks | null> {
    const isIt = (candidate: Candidate) => candidate.czxid === czxid && candidate.submitId === submitId;
    const near = new Look(this.#session, [], null, 0);
    let number = since.number;
    for (const count of nearby) {
      const names = Array.from({ length: count }, (_, place) => taskIdOf(number + place));
      const { found } = await near.among(names, czxid, isIt);
      if (found) return foundTasks(found);
      number += count;
    }
    const look = await this.#look();
    const found = (await whereItBelongs(look, czxid, isIt)) ?? (await anywhere(look, czxid, isIt, since));
    return found && foundTasks(found);
  }

  /** One for all searches that begin in the same turn: a link that breaks leaves many at once. */
  #look(): Promise<Look> {
    if (!this.#sharedLook) {
      this.#sharedLook = newLook(this.#session);
      setImmediate(() => {
        this.#sharedLook = null;
      });
    }
    return this.#sharedLook;
  }
}

async function newLook(session: Session): Promise<Look> {
  await session.sync(paths.tasks);
  const listed = await session.getChildren(paths.tasks);
  const tasks = (listed?.children ?? []).map(parseTaskId).filter((task) => task !== null);
  tasks.sort((a, b) => taskNumber(a) - taskNumber(b));
  return new Look(session, tasks, listed?.stat.czxid ?? null, listed ? nextSequenceNumber(listed.stat) : 0);
}

/** The tasks as they were at one moment; of each is read once what a search wants to know first. */
class Look {
  readonly #session: Session;
  readonly #reads = new Map<TaskId, Promise<Candidate | UnreadableTask | null>>();
  readonly #transactions = new Map<TaskId, Promise<bigint | null>>();

  constructor(
    session: Session,
    /** By number. */
    readonly tasks: readonly TaskId[],
    readonly tasksCzxid: bigint | null,
    readonly nextNumber: number,
  ) {
    this.#session = session;
  }

  /** Null where it is gone. */
  read(task: TaskId): Promise<Candidate | UnreadableTask | null> {
    return memoized(this.#reads, task, () => readCandidate(this.#session, task));
  }

  /** Null where the task is gone. */
  transactionOf(task: TaskId): Promise<bigint | null> {
    return memoized(
      this.#transactions,
      task,
      async () => (await this.#session.exists(paths.task(task)))?.czxid ?? null,
    );
  }

  /** Reads those of `names` that transaction `czxid` made; `some` is true where it made any of them. */
  async among(
    names: readonly TaskId[],
    czxid: bigint,
    isIt: (candidate: Candidate) => boolean,
  ): Promise<{ found: Candidate | null; some: boolean }> {
    const transactions = await Promise.all(names.map((task) => this.transactionOf(task)));
    const made = names.filter((_, place) => transactions[place] === czxid);
    const candidates = await Promise.all(made.map((task) => this.read(task)));
    const found = candidates.find(isCandidate(isIt)) ?? null;
    const unreadable = candidates.find((each) => each instanceof UnreadableTask);
    if (!found && unreadable) throw unreadable;
    return { found, some: made.length > 0 };
  }
}

function memoized<T>(known: Map<TaskId, Promise<T>>, task: TaskId, ask: () => Promise<T>): Promise<T> {
  const asked = known.get(task) ?? ask();
  known.set(task, asked);
  return asked;
}

function isCandidate(isIt: (candidate: Candidate) => boolean) {
  return (each: Candidate | UnreadableTask | null): each is Candidate =>
    each !== null && !(each instanceof UnreadableTask) && isIt(each);
}

async function readCandidate(session: Session, task: TaskId): Promise<Candidate | UnreadableTask | null> {
  try {
    return await ifAllowed(task, () => candidateAt(session, task));
  } catch (error) {
    if (error instanceof UnreadableTask) return error;
    throw error;
  }
}

async function candidateAt(session: Session, task: TaskId): Promise<Candidate | null> {
  const znode = readable(task, await session.getData(paths.task(task)));
  if (!znode) return null;
  const { czxid, ctime } = znode.stat;
  const reading = decodeTask(znode.data, ctime);
  const { submitId, batch } = reading.kind === 'task' ? reading.record : { submitId: null, batch: null };
  return { task, createdAt: ctime, czxid, submitId, batch };
}

/** By halves; what was removed meanwhile, or was made out of order, may mislead it. */
async function whereItBelongs(
  look: Look,
  czxid: bigint,
  isIt: (candidate: Candidate) => boolean,
): Promise<Candidate | null> {
  let low = 0;
  let high = look.tasks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const transaction = await look.transactionOf(look.tasks[middle] as TaskId);
    if (transaction !== null && transaction < czxid) low = middle + 1;
    else high = middle;
  }
  for (const names of groupsOf(readsAtOnce, look.tasks.slice(low))) {
    const { found, some } = await look.among(names, czxid, isIt);
    if (found || !some) return found;
  }
  return null;
}

async function anywhere(
  look: Look,
  czxid: bigint,
  isIt: (candidate: Candidate) => boolean,
  since: SequencePlace,
): Promise<Candidate | null> {
  for (const names of groupsOf(readsAtOnce, youngerThan(since, look))) {
    const { found } = await look.among(names, czxid, isIt);
    if (found) return found;
  }
  return null;
}

function youngerThan(since: SequencePlace, look: Look): readonly TaskId[] {
  const first = firstNumber(since, look);
  return look.tasks.filter((task) => taskNumber(task) >= first);
}

/** From the beginning, where `/tasks` is not the one whose numbers we knew. */
function firstNumber({ number, tasksCzxid }: SequencePlace, look: Look): number {
  return look.tasksCzxid === tasksCzxid ? number : 0;
}

/** By the sequence, or by hand in its place; people may name others as they like. */
function isNumbered(task: TaskId, { nextNumber }: Look): boolean {
  const number = taskNumber(task);
  return number < nextNumber && task === taskIdOf(number);
}

function* groupsOf<T>(size: number, items: readonly T[]): Generator<readonly T[]> {
  for (let first = 0; first < items.length; first += size) yield items.slice(first, first + size);
}

function foundTasks({ task, createdAt, czxid, batch }: Candidate): FoundTasks {
  const { index, size } = batch ?? { index: 0, size: 1 };
  const first = taskNumber(task) - index;
  const tasks = Array.from({ length: size }, (_, place) => (place === index ? task : taskIdOf(first + place)));
  return { tasks, createdAt, czxid };
}
