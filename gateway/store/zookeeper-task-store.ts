// The task store of the gateway, on ZooKeeper: hands each call to what belongs to the present session, and turns what
// can go wrong there into the errors of the API. Without a session it refuses at once.

import { AssignmentDirectory } from '../../coordination/assignment-directory.ts';
import { BacklogWatch } from '../../coordination/backlog.ts';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { requestCancel } from '../../coordination/cancel-request.ts';
import { GroupCommit } from '../../coordination/group-commit.ts';
import { findByKey, submitOnce } from '../../coordination/idempotent-submission.ts';
import { QueueDirectory, readQueueSettings, updateQueueSettings } from '../../coordination/queue-ledger.ts';
import type { Session } from '../../coordination/session.ts';
import { TaskReader } from '../../coordination/task-reader.ts';
import { type RemovalOutcome, removeTask } from '../../coordination/task-removal.ts';
import { TaskSubmission } from '../../coordination/task-submission.ts';
import { ServiceError } from '../../domain/errors.ts';
import { invariant } from '../../domain/invariant.ts';
import type { QueueSettings } from '../../domain/queue-settings.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import type { TaskSnapshot } from '../../domain/task-view.ts';
import { aborted } from '../../runtime/aborted.ts';
import type { Submitted, SubmittedBatch, TaskStore } from '../api/task-store.ts';
import { serverLimits } from '../server-limits.ts';
import { Admission, type Place } from './admission.ts';
import { RecentSubmits } from './recent-submits.ts';
import { SharedSubmits } from './shared-submits.ts';
import { inSession, unavailable } from './store-errors.ts';
import { TaskWatches } from './task-watches.ts';
import { Turns } from './turns.ts';

/** What belongs to one session. */
interface SessionParts {
  readonly session: Session;
  readonly commits: GroupCommit;
  readonly submission: TaskSubmission;
  readonly shared: SharedSubmits;
  readonly directory: AssignmentDirectory;
  readonly reader: TaskReader;
  readonly admission: Admission;
  /** Resolves when everything is known that requests rely on; rejects when the session ends before. */
  start(): Promise<unknown>;
}

export class ZooKeeperTaskStore implements TaskStore {
  readonly #unfinishedTasksMax: number;
  readonly #onReadyChanged: () => void;
  readonly #watches = new TaskWatches();
  readonly #recent = new RecentSubmits();
  readonly #reads = new Turns(serverLimits.taskReadsAtOnce, serverLimits.taskReadTurnMsMax, () =>
    unavailable('more is asked for than ZooKeeper can answer in time', undefined),
  );
  #parts: SessionParts | null = null;

  /** More than `unfinishedTasksMax` unfinished tasks, by the master's count and our own since: submits are refused. */
  constructor(unfinishedTasksMax: number, onReadyChanged: () => void) {
    this.#unfinishedTasksMax = unfinishedTasksMax;
    this.#onReadyChanged = onReadyChanged;
  }

  /** Serves from `session` until it is lost or `stop` aborts. */
  async serve(session: Session, stop: AbortSignal): Promise<void> {
    await ensureParents(session);
    const parts = this.#partsOf(session);
    const ended = AbortSignal.any([stop, session.signal]);
    const over = aborted(ended);
    const stopListening = session.onState(() => this.#onReadyChanged());
    try {
      await Promise.race([parts.start(), over]);
      if (ended.aborted) return;
      this.#parts = parts;
      this.#watches.begin(parts);
      this.#onReadyChanged();
      await over;
    } finally {
      stopListening();
      this.#watches.end();
      this.#parts = null;
      this.#onReadyChanged();
    }
  }

  isReady(): boolean {
    return this.#parts?.session.state === 'connected';
  }

  async submit(record: TaskRecord, fingerprint: string | null): Promise<Submitted> {
    const { ids, createdAt, created } = await this.submitBatch([record], fingerprint);
    const [id] = ids;
    invariant(id, 'a single submit makes one task or finds it');
    return { id, createdAt, created };
  }

  submitBatch(records: readonly TaskRecord[], fingerprint: string | null): Promise<SubmittedBatch> {
    const key = records[0]?.idempotencyKey ?? null;
    return this.#withSession((parts) => {
      const submit = () => submitAsOwn(parts, records, fingerprint);
      return key === null || fingerprint === null ? submit() : parts.shared.share(key, fingerprint, submit);
    });
  }

  findByKey(idempotencyKey: string, fingerprint: string): Promise<Submitted | null> {
    return this.#withSession(async ({ session, submission }) => {
      const found = await findByKey(session, submission, idempotencyKey, fingerprint);
      const id = found?.tasks[0];
      return found && id ? { id, createdAt: found.createdAt, created: false } : null;
    });
  }

  read(id: TaskId): Promise<TaskSnapshot | null> {
    return this.#inTurn(({ reader }) => reader.read(id));
  }

  readEnd(id: TaskId): Promise<TaskSnapshot | null> {
    return this.#inTurn(({ reader }) => reader.readEnd(id));
  }

  readFresh(id: TaskId): Promise<TaskSnapshot | null> {
    return this.#inTurn(({ reader }) => reader.readFresh(id));
  }

  changed(id: TaskId, signal: AbortSignal): Promise<void> {
    return this.#watches.changed(id, signal);
  }

  watch(id: TaskId, listener: () => void): () => void {
    return this.#watches.watch(id, listener);
  }

  cancel(id: TaskId, reason: string): Promise<boolean> {
    return this.#withSession(({ session, commits }) => requestCancel(session, commits, id, reason));
  }

  remove(id: TaskId): Promise<RemovalOutcome> {
    return this.#withSession(({ session, commits }) => removeTask(session, commits, id));
  }

  readQueue(name: string): Promise<QueueSettings> {
    return this.#withSession(({ session }) => readQueueSettings(session, name));
  }

  updateQueue(name: string, change: Partial<QueueSettings>): Promise<QueueSettings> {
    if (name === '.' || name === '..') {
      const message = `Queue ${name} can have tasks but no settings: in ZooKeeper this is no name.`;
      return Promise.reject(new ServiceError('invalid-request', message));
    }
    return this.#withSession(({ session, commits }) => updateQueueSettings(session, commits, name, change));
  }

  #partsOf(session: Session): SessionParts {
    const backlog = new BacklogWatch(session, (next) => this.#recent.counted(next));
    const queues = new QueueDirectory(session);
    const submission = new TaskSubmission(session);
    const directory = new AssignmentDirectory(session, {
      onAssigned: (task) => this.#recent.started(task),
      isNeeded: () => !this.#recent.isEmpty,
      onSynced: () => this.#watches.wakeAll(),
    });
    return {
      ...{ session, submission, directory },
      shared: new SharedSubmits(),
      reader: new TaskReader(session, directory),
      commits: new GroupCommit(session),
      admission: new Admission(backlog, queues, this.#recent, this.#unfinishedTasksMax),
      start: () => Promise.all([directory.follow(), submission.start(), backlog.start(), queues.start()]),
    };
  }

  /** All that comes over the one connection is read in line, and large tasks take their time: whoever would stand there for too long is told. */
  #inTurn<T>(work: (parts: SessionParts) => Promise<T>): Promise<T> {
    return this.#reads.take(() => this.#withSession(work));
  }

  #withSession<T>(work: (parts: SessionParts) => Promise<T>): Promise<T> {
    return inSession(this.#parts, work);
  }
}

async function submitAsOwn(
  parts: SessionParts,
  records: readonly TaskRecord[],
  fingerprint: string | null,
): Promise<SubmittedBatch> {
  let place: Place | null = null;
  const admit = () => {
    place ??= parts.admission.admit(records);
  };
  if (parts.admission.isLimited(records)) await parts.directory.follow();
  try {
    const submitted = await submitAdmitted(parts, records, fingerprint, admit);
    settle(place, submitted);
    return submitted;
  } catch (error) {
    settle(place, null);
    throw error;
  }
}

async function submitAdmitted(
  { session, submission }: SessionParts,
  records: readonly TaskRecord[],
  fingerprint: string | null,
  admit: () => void,
): Promise<SubmittedBatch> {
  if (fingerprint !== null) {
    const { tasks, createdAt, created } = await submitOnce(session, submission, records, fingerprint, admit);
    return { ids: tasks, createdAt, created };
  }
  admit();
  return { ids: await submission.submit(records), createdAt: records[0]?.submittedAt ?? 0, created: true };
}

/** Nothing that is new was made: the place is free again. */
function settle(place: Place | null, submitted: SubmittedBatch | null): void {
  if (submitted?.created) place?.made(submitted.ids);
  else place?.giveBack();
}
