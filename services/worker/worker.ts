// A worker for one session: registers, runs what it is assigned in at most as many slots as it has, and lets go of
// everything when the session is lost, before the ensemble could give it to another. On a clean stop it finishes what
// runs within a grace period, hands the rest back and leaves without a trace.

import { setTimeout as sleep } from 'node:timers/promises';
import { AttemptLedger } from '../../coordination/attempt-ledger.ts';
import { createIfMissing, ensureParents } from '../../coordination/bootstrap.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import { GroupCommit } from '../../coordination/group-commit.ts';
import { announce, deregister, register, registrationChanged } from '../../coordination/membership.ts';
import type { Session } from '../../coordination/session.ts';
import { TreeCache } from '../../coordination/tree-cache.ts';
import { parseAssignPath, paths } from '../../coordination/znode-paths.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { TaskId, WorkerId, WorkerRecord } from '../../domain/task.ts';
import type { Log } from '../../runtime/log.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import { HeldAssignment } from './held-assignment.ts';
import { type RunContext, runAssignment } from './run.ts';
import { RunEnd } from './run-end.ts';
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
  /** Told whenever this worker becomes registered or stops being so. */
  readonly onReady: (ready: boolean) => void;
}

/** One session's life as a worker. Returns when `stop` aborts and all is handed back, or when the session is lost. */
export async function runWorker(session: Session, options: WorkerOptions, stop: AbortSignal): Promise<void> {
  await ensureParents(session);
  const worker = new WorkerSession(session, options);
  const lease = setInterval(() => options.registry.renewLease(session.trustedUntil), session.timeoutMs / 20);
  options.registry.renewLease(session.trustedUntil);
  try {
    await worker.serve(stop);
  } finally {
    clearInterval(lease);
    options.onReady(false);
  }
}

class WorkerSession {
  readonly #session: Session;
  readonly #options: WorkerOptions;
  readonly #context: RunContext;
  readonly #held = new Map<TaskId, HeldAssignment>();
  readonly #waiting: HeldAssignment[] = [];
  readonly #running = new Set<Promise<void>>();
  #registeredAt = 0n;
  #draining = false;

  constructor(session: Session, options: WorkerOptions) {
    this.#session = session;
    this.#options = options;
    const { id, registry, log, metrics } = options;
    this.#context = {
      session,
      worker: id,
      ledger: new AttemptLedger(new GroupCommit(session)),
      registry,
      log,
      onAttemptEnded: (kind) => metrics.attempts.inc({ kind }),
    };
  }

  async serve(stop: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([stop, this.#session.signal]);
    try {
      await Promise.race([this.#work(ended), aborted(ended)]);
    } catch (error) {
      await this.#dropEverything(); // the session ends with the error
      throw error;
    }
    if (this.#session.signal.aborted) await this.#dropEverything();
    else await this.#drain();
  }

  async #work(ended: AbortSignal): Promise<void> {
    await this.#register();
    const feed = new TreeCache(this.#session, paths.assignments(this.#options.id), 1, {
      onPresent: (path, znode) => znode && this.#onAssignment(path, znode),
      onAbsent: (path) => this.#onGone(path),
      onSynced: (synced) => synced && void this.#keepFolder(),
    });
    feed
      .start()
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'the feed of assignments has ended'));
    // Somebody may remove the registration by hand: then we register again, and what ran until then is lost.
    while (!ended.aborted) {
      await registrationChanged(this.#session, this.#options.id);
      if (!ended.aborted) await this.#register();
    }
  }

  async #register(): Promise<void> {
    const { id, record, log, onReady } = this.#options;
    this.#registeredAt = await register(this.#session, id, record, log);
    log.info({ types: record.types, concurrency: record.concurrency }, 'registered');
    onReady(true);
  }

  #onAssignment(path: string, znode: Znode): void {
    const parsed = parseAssignPath(path);
    if (!parsed?.task) return;
    const known = this.#held.get(parsed.task);
    if (known?.czxid === znode.stat.czxid) return known.update(znode);
    known?.gone();
    if (znode.stat.czxid < this.#registeredAt) return; // a former life's: the master records it as lost
    const held = new HeldAssignment(parsed.task, znode);
    this.#held.set(parsed.task, held);
    if (this.#draining) held.stop(new RunEnd({ kind: 'shutdown' }));
    this.#waiting.push(held);
    this.#fillSlots();
  }

  #onGone(path: string): void {
    const parsed = parseAssignPath(path);
    if (!parsed) return;
    if (parsed.task) this.#held.get(parsed.task)?.gone();
    else void this.#keepFolder();
  }

  /** Somebody may remove `/assign/<worker>` by hand, its parent too; without it the worker would get nothing for ever. */
  async #keepFolder(): Promise<void> {
    const path = paths.assignments(this.#options.id);
    while (!this.#draining && !this.#session.signal.aborted) {
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

  /** More assignments than slots come only from people; they wait in order. */
  #fillSlots(): void {
    while (this.#draining || this.#running.size < this.#options.record.concurrency) {
      const held = this.#waiting.shift();
      if (!held) break;
      const run = runAssignment(this.#context, held).finally(() => {
        this.#running.delete(run);
        if (this.#held.get(held.task) === held) this.#held.delete(held.task);
        this.#options.metrics.running.set(this.#running.size);
        this.#fillSlots();
      });
      this.#running.add(run);
    }
    this.#options.metrics.running.set(this.#running.size);
  }

  /** The session is lost: nothing here is ours any more. */
  async #dropEverything(): Promise<void> {
    this.#waiting.length = 0;
    this.#stopRuns(new RunEnd({ kind: 'session_lost' }));
    await this.#allEnded();
  }

  async #drain(): Promise<void> {
    const { id, record, drainGraceMs, log } = this.#options;
    this.#draining = true;
    log.info({ running: this.#running.size, waiting: this.#waiting.length }, 'draining');
    await announce(this.#session, id, { ...record, draining: true }).catch((error: unknown) => {
      if (!(error instanceof CoordinationError)) throw error;
    });
    for (const held of this.#waiting) held.stop(new RunEnd({ kind: 'shutdown' }));
    this.#fillSlots(); // what waits is handed back without having run
    const timer = setTimeout(() => this.#stopRuns(new RunEnd({ kind: 'shutdown' })), drainGraceMs);
    const lost = () => this.#stopRuns(new RunEnd({ kind: 'session_lost' }));
    this.#session.signal.addEventListener('abort', lost);
    await this.#allEnded();
    clearTimeout(timer);
    this.#session.signal.removeEventListener('abort', lost);
    if (!this.#session.signal.aborted) await deregister(this.#session, id);
  }

  #stopRuns(reason: RunEnd): void {
    for (const held of this.#held.values()) held.stop(reason);
  }

  async #allEnded(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
