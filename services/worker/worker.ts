// A worker for one session: registers, runs what it is assigned in at most as many slots as it has, and lets go of
// everything when the session is lost, before the ensemble could give it to another. On a clean stop it finishes what
// runs within a grace period, hands the rest back and leaves without a trace.

import { setTimeout as sleep } from 'node:timers/promises';
import { AttemptLedger } from '../../coordination/attempt-ledger.ts';
import { createIfMissing, ensureParents } from '../../coordination/bootstrap.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import { GroupCommit } from '../../coordination/group-commit.ts';
import { register, registrationChanged } from '../../coordination/membership.ts';
import type { Session } from '../../coordination/session.ts';
import { TreeCache } from '../../coordination/tree-cache.ts';
import { parseAssignPath, paths } from '../../coordination/znode-paths.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { TaskId, WorkerId, WorkerRecord } from '../../domain/task.ts';
import type { Log } from '../../runtime/log.ts';
import { drain } from './drain.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import { type RunContext, runAssignment } from './run.ts';
import { Slots } from './slots.ts';
import { TaskReads } from './task-reads.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** Between two tries to make `/assign/<worker>` again. */
const folderPauseMs = 100;

export interface WorkerOptions {
  readonly id: WorkerId;
  readonly record: WorkerRecord;
  readonly registry: HandlerRegistry;
  readonly drainGraceMs: number;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  /** Told whenever this worker begins to be registered over a link that stands, or stops being so. */
  readonly onReady: (ready: boolean) => void;
}

/** One session's life as a worker. Returns when `stop` aborts and all is handed back, or when the session is lost. */
export async function runWorker(session: Session, options: WorkerOptions, stop: AbortSignal): Promise<void> {
  await ensureParents(session);
  const worker = new WorkerSession(session, options, stop);
  const stopRenewing = session.onTrust((untilMs) => options.registry.renewLease(untilMs));
  options.registry.renewLease(session.trustedUntil);
  try {
    await worker.serve();
  } finally {
    stopRenewing();
    options.onReady(false);
  }
}

class WorkerSession {
  readonly #session: Session;
  readonly #options: WorkerOptions;
  /** Told to stop, or the session is over. */
  readonly #ended: AbortSignal;
  readonly #slots: Slots;
  readonly #reads: TaskReads;
  #isRegistered = false;
  #registeredAt = 0n;

  constructor(session: Session, options: WorkerOptions, stop: AbortSignal) {
    this.#session = session;
    this.#options = options;
    this.#ended = AbortSignal.any([stop, session.signal]);
    const { id, record, registry, log, metrics } = options;
    this.#reads = new TaskReads(session, record.concurrency);
    const context: RunContext = {
      session,
      worker: id,
      ledger: new AttemptLedger(new GroupCommit(session)),
      reads: this.#reads,
      registry,
      log,
      onAttemptEnded: (kind) => metrics.attempts.inc({ kind }),
    };
    this.#slots = new Slots({
      concurrency: record.concurrency,
      run: (held) => runAssignment(context, held),
      onRunning: (count) => metrics.running.set(count),
    });
  }

  async serve(): Promise<void> {
    const { signal } = this.#session;
    const stopTelling = this.#session.onState(() => {
      this.#reads.forgetAll();
      this.#tellReady();
    });
    const drop = () => this.#slots.drop();
    signal.addEventListener('abort', drop, { once: true });
    try {
      await Promise.race([this.#work(), aborted(this.#ended)]);
      if (!signal.aborted) await this.#drain();
    } finally {
      stopTelling();
      drop(); // also where the session ends with an error
      await this.#slots.ended();
    }
  }

  async #work(): Promise<void> {
    const folder = paths.assignments(this.#options.id);
    // Asked before it registers: a worker that cannot hear what it is assigned must be assigned nothing.
    await this.#session.getData(folder);
    await this.#register();
    const feed = new TreeCache(this.#session, folder, 1, {
      onPresent: (path, znode) => this.#onAssignment(path, znode),
      onAbsent: (path) => this.#onGone(path),
      onForbidden: (path) => this.#onForbidden(path),
      onSynced: (synced) => synced && void this.#keepFolder(),
    });
    const listening = feed.start().catch((error: unknown) => {
      if (!this.#session.signal.aborted) throw error;
    });
    await Promise.all([listening, this.#stayRegistered()]);
  }

  /** Somebody may remove the registration by hand: then we register again, and what ran until then is lost. */
  async #stayRegistered(): Promise<void> {
    while (!this.#ended.aborted) {
      await registrationChanged(this.#session, this.#options.id);
      if (!this.#ended.aborted) await this.#register();
    }
  }

  async #register(): Promise<void> {
    const { id, record, log } = this.#options;
    this.#isRegistered = false;
    this.#tellReady();
    this.#registeredAt = await register(this.#session, id, record, log);
    this.#isRegistered = true;
    this.#tellReady();
    const { types, queues, concurrency } = record;
    log.info({ types, ...(queues && { queues }), concurrency }, 'registered');
  }

  #tellReady(): void {
    this.#options.onReady(this.#isRegistered && this.#session.state === 'connected');
  }

  #onAssignment(path: string, znode: Znode | null): void {
    const task = parseAssignPath(path)?.task;
    if (!task) return;
    if (znode) this.#take(task, znode);
    else this.#reads.begin(task);
  }

  /** One that may not be read is not run. */
  #onForbidden(path: string): void {
    const task = parseAssignPath(path)?.task;
    if (task) this.#reads.forget(task);
  }

  /** A former life's is not ours: the master records it as lost. */
  #take(task: TaskId, znode: Znode): void {
    const isOurs = this.#registeredAt > 0n && znode.stat.czxid >= this.#registeredAt;
    if (isOurs || this.#slots.knows(task)) this.#slots.put(task, znode);
    this.#reads.forget(task); // a run that has begun by now has asked for it, and one that waits must not rely on it
  }

  #onGone(path: string): void {
    const parsed = parseAssignPath(path);
    if (parsed?.task) {
      this.#reads.forget(parsed.task);
      this.#slots.remove(parsed.task);
    } else if (parsed) void this.#keepFolder();
  }

  /** Somebody may remove `/assign/<worker>` by hand, its parent too; without it the worker would get nothing for ever. */
  async #keepFolder(): Promise<void> {
    const path = paths.assignments(this.#options.id);
    while (!this.#ended.aborted) {
      try {
        if (await this.#session.exists(path)) return;
        await ensureParents(this.#session);
        await createIfMissing(this.#session, path);
      } catch (error) {
        if (!(error instanceof CoordinationError)) throw error;
        this.#options.log.warn({ err: error, path }, 'could not be made again yet');
        await sleep(folderPauseMs);
      }
    }
  }

  #drain(): Promise<void> {
    const { id, record, drainGraceMs, log } = this.#options;
    const take = (task: TaskId, znode: Znode) => this.#take(task, znode);
    return drain({ session: this.#session, id, record, drainGraceMs, slots: this.#slots, take, log });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
