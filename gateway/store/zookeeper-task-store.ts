// The task store of the gateway, on ZooKeeper: hands each call to what belongs to the present session, and turns what
// can go wrong there into the errors of the API. Without a session it refuses at once.

import { AssignmentDirectory } from '../../coordination/assignment-directory.ts';
import { BacklogWatch } from '../../coordination/backlog.ts';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import { IdempotencyKeyReused, submitOnce } from '../../coordination/idempotent-submission.ts';
import type { Session } from '../../coordination/session.ts';
import { readTask } from '../../coordination/task-reader.ts';
import { SequenceExhausted, TaskSubmission } from '../../coordination/task-submission.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { ServiceError } from '../../domain/errors.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import type { TaskSnapshot } from '../../domain/task-view.ts';
import type { Submitted, TaskStore } from '../api/task-store.ts';

const retryAfterMs = 1000;

interface SessionParts {
  readonly session: Session;
  readonly directory: AssignmentDirectory;
  readonly submission: TaskSubmission;
  readonly backlog: BacklogWatch;
}

export class ZooKeeperTaskStore implements TaskStore {
  readonly #unfinishedTasksMax: number;
  readonly #onReadyChanged: () => void;
  #parts: SessionParts | null = null;
  /** Those who wait while there is no session, to look again when there is one. */
  readonly #waiting = new Set<() => void>();

  /** More than `unfinishedTasksMax` unfinished tasks, by the master's count and our own since: submits are refused. */
  constructor(unfinishedTasksMax: number, onReadyChanged: () => void) {
    this.#unfinishedTasksMax = unfinishedTasksMax;
    this.#onReadyChanged = onReadyChanged;
  }

  /** Serves from `session` until it is lost or `stop` aborts. */
  async serve(session: Session, stop: AbortSignal): Promise<void> {
    await ensureParents(session);
    const parts = {
      session,
      directory: new AssignmentDirectory(session),
      submission: new TaskSubmission(session),
      backlog: new BacklogWatch(session),
    };
    const ended = AbortSignal.any([stop, session.signal]);
    const aborted = new Promise<void>((resolve) => {
      ended.addEventListener('abort', () => resolve(), { once: true });
      if (ended.aborted) resolve();
    });
    const stopListening = session.onState(() => this.#onReadyChanged());
    try {
      await Promise.race([
        Promise.all([parts.directory.start(), parts.submission.start(), parts.backlog.start()]),
        aborted,
      ]);
      if (ended.aborted) return;
      this.#parts = parts;
      this.#onReadyChanged();
      for (const wake of [...this.#waiting]) wake();
      await aborted;
    } finally {
      stopListening();
      this.#parts = null;
      this.#onReadyChanged();
    }
  }

  isReady(): boolean {
    return this.#parts?.session.state === 'connected';
  }

  submit(record: TaskRecord, fingerprint: string | null): Promise<Submitted> {
    return this.#withSession(async ({ session, submission, backlog }) => {
      const admit = () => {
        if (backlog.unfinished >= this.#unfinishedTasksMax) throw queueFull(this.#unfinishedTasksMax);
        backlog.countSubmit();
      };
      if (fingerprint === null) {
        admit();
        return { id: await submission.submit(record), createdAt: record.submittedAt, created: true };
      }
      const { task, createdAt, created } = await submitOnce(session, submission, record, fingerprint, admit);
      return { id: task, createdAt, created };
    });
  }

  read(id: TaskId): Promise<TaskSnapshot | null> {
    return this.#withSession(({ session, directory }) => readTask(session, directory, id));
  }

  changed(id: TaskId, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let cancel = (): void => undefined;
      const finish = () => {
        cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      signal.addEventListener('abort', finish);
      if (signal.aborted) finish();
      else cancel = this.#onChange(id, finish);
    });
  }

  /** Calls `wake` once the task may have its status, or a session is there again. */
  #onChange(id: TaskId, wake: () => void): () => void {
    const session = this.#parts?.session;
    if (!session) {
      this.#waiting.add(wake);
      return () => void this.#waiting.delete(wake);
    }
    const { stat, cancel } = session.watch(paths.status(id), wake);
    stat.then(
      (found) => found && wake(),
      () => wake(),
    );
    return cancel;
  }

  async #withSession<T>(work: (parts: SessionParts) => Promise<T>): Promise<T> {
    const parts = this.#parts;
    if (!parts) throw unavailable('there is no ZooKeeper session at the moment', undefined);
    try {
      return await work(parts);
    } catch (error) {
      throw serviceErrorOf(error);
    }
  }
}

function unavailable(why: string, cause: unknown): ServiceError {
  const message = `${why}; nothing was changed, try again`;
  return new ServiceError('coordination-unavailable', message, { cause, retryAfterMs });
}

function queueFull(max: number): ServiceError {
  const message = `${max} tasks or more are unfinished, so no more are taken; try again when some are done`;
  return new ServiceError('queue-full', message, { retryAfterMs });
}

/** What is no operating error goes on as it is: a bug. */
function serviceErrorOf(error: unknown): unknown {
  if (error instanceof IdempotencyKeyReused) {
    const message = 'this idempotency key was used for another request; use a new key, or send the same request';
    return new ServiceError('idempotency-key-reused', message);
  }
  if (error instanceof SequenceExhausted) {
    const message = 'the task numbers of this ensemble are used up; point the gateways at a new chroot';
    return new ServiceError('sequence-exhausted', message, { cause: error });
  }
  if (!(error instanceof CoordinationError)) return error;
  if (error.outcome === 'not applied') return unavailable('ZooKeeper could not answer in time', error);
  const message =
    'the connection to ZooKeeper broke before the answer came, so the task may or may not have been created; ' +
    'a request with an idempotency key can safely be repeated';
  return new ServiceError('outcome-unknown', message, { cause: error, retryAfterMs });
}
