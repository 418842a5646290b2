// Everything that the ensemble knows of one task, read when somebody asks for it.

import type { AttemptRecord, TaskId, WorkerId } from '../domain/task.ts';
import type { TaskSnapshot } from '../domain/task-view.ts';
import type { AssignmentDirectory } from './assignment-directory.ts';
import { isNewerStatus } from './record-json.ts';
import type { Session } from './session.ts';
import { SharedSync } from './shared-sync.ts';
import { decodeTask } from './task-record.ts';
import { ifAllowed, readable, UnreadableTask } from './unreadable-task.ts';
import { parseAttemptName, paths } from './znode-paths.ts';
import { decodeAssignment, decodeAttempt, decodeStatus } from './znode-records.ts';
import type { Znode } from './zookeeper-requests.ts';

/** Looks that each found an assignment gone meanwhile; then what was read last is the answer. */
const looksMax = 5;

export class TaskReader {
  readonly #session: Session;
  readonly #directory: AssignmentDirectory;
  readonly #shared: SharedSync;

  constructor(session: Session, directory: AssignmentDirectory) {
    this.#session = session;
    this.#directory = directory;
    this.#shared = new SharedSync(session);
  }

  /**
   * Null where there is no such task: our server may not have heard yet of one that another took, so that is believed only
   * after a `sync`. What it shows of a task may be old. Throws {@link UnreadableTask} and CoordinationError.
   */
  async read(id: TaskId): Promise<TaskSnapshot | null> {
    return (await this.#look(id)) ?? (await this.readFresh(id));
  }

  /** As {@link read}; of a task that has not ended it does not say whether it runs, for which somebody has to follow `/assign`. */
  async readEnd(id: TaskId): Promise<TaskSnapshot | null> {
    const look = () => ifAllowed(id, () => readEnd(this.#session, id));
    return (await look()) ?? (await this.#fresh(look));
  }

  /** The task as it was at the call or is later. */
  readFresh(id: TaskId): Promise<TaskSnapshot | null> {
    return this.#fresh(() => this.#look(id));
  }

  async #fresh(look: () => Promise<TaskSnapshot | null>): Promise<TaskSnapshot | null> {
    await this.#shared.sync();
    return look();
  }

  #look(id: TaskId): Promise<TaskSnapshot | null> {
    return ifAllowed(id, () => readTask(this.#session, this.#directory, id));
  }
}

/** What a look needs, whatever it finds, is mostly one request; only a task that had attempts or was held back takes a second. */
async function readTask(session: Session, directory: AssignmentDirectory, id: TaskId): Promise<TaskSnapshot | null> {
  for (let look = 1; ; look += 1) {
    const { isFollowed } = directory;
    const worker = directory.workerOf(id);
    const [task, assigned] = await Promise.all([
      readEnd(session, id),
      worker === null ? null : session.getData(paths.assignment(worker, id)),
    ]);
    if (task === null || task.status) return task;
    const snapshot = { ...task, assignment: assignmentOf(id, worker, assigned) };
    if (look === looksMax) return snapshot;
    const followed = directory.follow();
    // It ran when we began to look, and does not any more: what became of it has to be read.
    const isOvertaken = worker !== null && !assigned;
    if (isFollowed && !isOvertaken) return snapshot;
    await followed; // whether it runs was not known
  }
}

/** As if it did not run. */
async function readEnd(session: Session, id: TaskId): Promise<TaskSnapshot | null> {
  for (let look = 1; ; look += 1) {
    const [znode, names, status] = await Promise.all([
      session.getData(paths.task(id)),
      session.childNames(paths.task(id)),
      session.getData(paths.status(id)),
    ]);
    if (!znode || !names) return null;
    const snapshot = {
      ...(await snapshotOf(session, id, znode, names)),
      status: statusOf(id, status),
      assignment: null,
    };
    // Read at different moments: with a status comes the last attempt, which the names are to have, too.
    if ((status !== null) === names.includes('status') || look === looksMax) return snapshot;
  }
}

function statusOf(id: TaskId, found: Znode | null): TaskSnapshot['status'] {
  const znode = readable(id, found, isNewerStatus);
  return znode && decodeStatus(znode.data, znode.stat.ctime);
}

function assignmentOf(id: TaskId, worker: WorkerId | null, found: Znode | null): TaskSnapshot['assignment'] {
  const znode = readable(id, found);
  return worker && znode && { worker, record: decodeAssignment(znode.data) };
}

/** What neither the status nor the assignment says. */
async function snapshotOf(
  session: Session,
  id: TaskId,
  { data, stat }: Znode,
  names: readonly string[],
): Promise<Omit<TaskSnapshot, 'status' | 'assignment'>> {
  const reading = decodeTask(data, stat.ctime);
  if (reading.kind === 'newer') throw new UnreadableTask(id, 'newer');
  const record = reading.kind === 'task' ? reading.record : null;
  const [unblocked, attempts] = await Promise.all([
    names.includes('unblocked') ? session.exists(paths.unblocked(id)) : null,
    readAttempts(session, id, names),
  ]);
  const cancelRequested = names.includes('cancel');
  return { id, record, createdAt: stat.ctime, attempts, cancelRequested, unblockedAt: unblocked?.ctime ?? null };
}

async function readAttempts(session: Session, id: TaskId, names: readonly string[]): Promise<AttemptRecord[]> {
  const numbers = names.map(parseAttemptName).filter((number) => number !== null);
  const records = await Promise.all(
    numbers.map(async (attempt) => {
      const znode = readable(id, await session.getData(paths.attempt(id, attempt)));
      return znode && decodeAttempt(znode.data, attempt, znode.stat.ctime);
    }),
  );
  return records.filter((record) => record !== null).sort((a, b) => a.attempt - b.attempt);
}
