// Everything that the ensemble knows of one task, read when somebody asks for it.

import type { AttemptRecord, TaskId } from '../domain/task.ts';
import type { TaskSnapshot } from '../domain/task-view.ts';
import type { AssignmentDirectory } from './assignment-directory.ts';
import type { Session } from './session.ts';
import { SharedSync } from './shared-sync.ts';
import { decodeTask } from './task-record.ts';
import { parseAttemptName, paths } from './znode-paths.ts';
import { decodeAssignment, decodeAttempt, decodeStatus } from './znode-records.ts';
import type { Znode } from './zookeeper-requests.ts';

/** Reads that each found an assignment which was gone at the next; then what was read last is the answer. */
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
   * after a `sync`. What it shows of a task may be old.
   */
  async read(id: TaskId): Promise<TaskSnapshot | null> {
    return (await readTask(this.#session, this.#directory, id)) ?? (await this.readFresh(id));
  }

  /** The task as it was at the call or is later. */
  async readFresh(id: TaskId): Promise<TaskSnapshot | null> {
    await this.#shared.sync();
    return readTask(this.#session, this.#directory, id);
  }
}

async function readTask(session: Session, directory: AssignmentDirectory, id: TaskId): Promise<TaskSnapshot | null> {
  for (let look = 1; ; look += 1) {
    const workerBefore = directory.workerOf(id);
    const znode = await session.getData(paths.task(id));
    if (!znode) return null;
    const snapshot = await readChildren(session, id, znode);
    if (snapshot.status) return snapshot;
    const worker = directory.workerOf(id);
    const assigned = worker && (await session.getData(paths.assignment(worker, id)));
    if (worker && assigned) return { ...snapshot, assignment: { worker, record: decodeAssignment(assigned.data) } };
    // It ran when we began to look and does not any more: what became of it has to be read.
    if ((!worker && !workerBefore) || look === looksMax) return snapshot;
  }
}

async function readChildren(session: Session, id: TaskId, { data, stat }: Znode): Promise<TaskSnapshot> {
  const reading = decodeTask(data, stat.ctime);
  const record = reading.kind === 'task' ? reading.record : null;
  const none = { unblockedAt: null, cancelRequested: false, status: null, attempts: [], assignment: null };
  const snapshot = { id, record, createdAt: stat.ctime, ...none };
  if (stat.numChildren === 0) return snapshot;
  const names = (await session.childNames(paths.task(id))) ?? [];
  const [unblocked, status, attempts] = await Promise.all([
    names.includes('unblocked') ? session.exists(paths.unblocked(id)) : null,
    names.includes('status') ? session.getData(paths.status(id)) : null,
    readAttempts(session, id, names),
  ]);
  return {
    ...snapshot,
    attempts,
    cancelRequested: names.includes('cancel'),
    unblockedAt: unblocked?.ctime ?? null,
    status: status && decodeStatus(status.data, status.stat.ctime),
  };
}

async function readAttempts(session: Session, id: TaskId, names: readonly string[]): Promise<AttemptRecord[]> {
  const numbers = names.map(parseAttemptName).filter((number) => number !== null);
  const records = await Promise.all(
    numbers.map(async (attempt) => {
      const znode = await session.getData(paths.attempt(id, attempt));
      return znode && decodeAttempt(znode.data, attempt, znode.stat.ctime);
    }),
  );
  return records.filter((record) => record !== null).sort((a, b) => a.attempt - b.attempt);
}
