// The leading master at work: whenever its picture has changed or a time comes, it decides what to do and commits it. Always in
// a turn of its own: many changes become one round. It decides only while the picture is complete, and stops for good
// with `signal`, when a commit was fenced, or when the session is lost.

import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { TaskLedger } from '../../coordination/task-ledger.ts';
import { type AssignDecision, planAssignments } from '../../domain/plan.ts';
import { planSettlement, type SettleDecision } from '../../domain/settle.ts';
import type { WorkerId } from '../../domain/task.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Picture } from './picture.ts';
import { alarmMsMax, deferMs, expectedRefusals, outrunMs } from './refused-commits.ts';

/** Decisions of one round; the next follows at once, so that one long round does not hold up the loop. */
const decisionsPerRoundMax = 1000;
/** Commits other than assignments that are under way at a time: a hundred thousand tasks may be let go at once, and assignments stand behind what was sent. */
const settlementsOpenMax = 1000;

export interface AssignLoopOptions {
  readonly picture: Picture;
  readonly ledger: TaskLedger;
  readonly log: Log;
  readonly onAssigned: (count: number) => void;
}

type Decision = AssignDecision | SettleDecision;

/** One of each: a worker may come and go again while its folder is being removed. */
interface FolderRemoval {
  readonly kind: 'remove_folder';
  readonly worker: WorkerId;
}

export class AssignLoop {
  readonly #options: AssignLoopOptions;
  /** What is being committed. */
  readonly #open = new Set<Decision | FolderRemoval>();
  /** Commits that were unknown until a sync came after them: what became of them is in the picture once it is complete. */
  #lookedUp: Decision[] = [];
  #timer: NodeJS.Timeout | undefined;
  #settlementsOpen = 0;
  /** Of the next round, where none is due anyway. */
  #scheduled: NodeJS.Immediate | undefined;
  #stopped = false;
  #onIdle: () => void = () => undefined;
  #finish: (why: 'stopped' | 'fenced') => void = () => undefined;

  constructor(options: AssignLoopOptions) {
    this.#options = options;
  }

  /** Leads until `signal` aborts (`stopped`) or another master has taken over (`fenced`). What was begun is finished. */
  async run(signal: AbortSignal): Promise<'stopped' | 'fenced'> {
    const finished = new Promise<'stopped' | 'fenced'>((resolve) => {
      this.#finish = resolve;
    });
    const onAbort = () => this.#finish('stopped');
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    const stopListening = this.#options.picture.onChange(() => this.#look());
    this.#schedule();
    const why = await finished;
    this.#stopped = true;
    stopListening();
    signal.removeEventListener('abort', onAbort);
    clearTimeout(this.#timer);
    await this.#idle();
    for (const decision of this.#lookedUp.splice(0)) this.#settle(decision, 0);
    return why;
  }

  #schedule(): void {
    if (!this.#stopped) this.#scheduled ??= setImmediate(() => this.#look());
  }

  #look(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (!this.#stopped && this.#options.picture.synced) this.#round();
  }

  #round(): void {
    const { index } = this.#options.picture;
    const now = Date.now();
    for (const decision of this.#lookedUp.splice(0)) this.#settle(decision, 0);
    const uptime = monotonicMs();
    index.advance(now);
    index.review(uptime);
    for (const task of index.unsettled) {
      if (this.#settlementsOpen >= settlementsOpenMax) break; // each that is over begins another round
      const entry = index.tasks.get(task);
      const decision = entry && planSettlement(index, entry, now, Math.random());
      if (decision) this.#commit(decision, now);
    }
    for (const worker of index.abandoned) this.#removeFolder(worker);
    const assignments = planAssignments(index, decisionsPerRoundMax);
    for (const decision of assignments) this.#commit(decision, now);
    if (assignments.length === decisionsPerRoundMax) this.#schedule();
    const reviewAt = index.nextReviewAt;
    this.#armAlarm(earlier(index.nextAlarmAt, index.nextTokenAt), now, reviewAt === null ? null : reviewAt - uptime);
  }

  #armAlarm(at: number | null, now: number, reviewInMs: number | null): void {
    clearTimeout(this.#timer);
    const inMs = earlier(at === null ? null : at - now, reviewInMs);
    if (inMs === null) return;
    const delayMs = Math.min(Math.max(1, Math.ceil(inMs)), alarmMsMax);
    this.#timer = setTimeout(() => this.#schedule(), delayMs);
  }

  #commit(decision: Decision, now: number): void {
    const { ledger } = this.#options;
    const work = decision.kind === 'assign' ? this.#assign(decision, now) : ledger.settle(decision);
    if (decision.kind !== 'assign') this.#settlementsOpen += 1;
    this.#open.add(decision);
    void work.then(
      () => this.#onCommitted(decision),
      (error: unknown) => this.#onFailure(decision, error),
    );
  }

  #assign(decision: AssignDecision, now: number): Promise<unknown> {
    const { ledger, picture } = this.#options;
    const committed = ledger.assign(decision, now);
    // Before we hear of it here: that it is settled means that the picture has it.
    picture.expectAssignment(decision.worker, decision.task, committed);
    return committed;
  }

  #onCommitted(decision: Decision): void {
    if (decision.kind === 'assign') this.#options.onAssigned(1);
    this.#settle(decision, 0);
    this.#close(decision);
  }

  #close(what: Decision | FolderRemoval): void {
    this.#open.delete(what);
    if (what.kind !== 'assign' && what.kind !== 'remove_folder') this.#settlementsOpen -= 1;
    if (this.#open.size === 0) this.#onIdle();
    this.#schedule();
  }

  /** Resolves when nothing is being committed. */
  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#open.size === 0) resolve();
    });
  }

  /** Events come before answers, so what the commit changed, or what refused it, is in the picture already. */
  #settle(decision: Decision, deferUntil: number): void {
    const worker = decision.kind === 'assign' ? decision.worker : null;
    this.#options.picture.index.settle(decision.entry, worker, deferUntil);
  }

  async #onFailure(decision: Decision, error: unknown): Promise<void> {
    try {
      if (!(error instanceof CoordinationError)) throw error;
      if (error.code === 'fenced') {
        this.#settle(decision, 0);
        this.#finish('fenced');
      } else if (error.outcome === 'unknown') {
        // Until a sync has come after it, neither this server's picture nor a new one need show it.
        await this.#options.ledger.catchUp();
        this.#lookedUp.push(decision);
      } else this.#onRefused(decision, error);
    } finally {
      this.#close(decision); // whatever went wrong: the term ends only when nothing is open
    }
  }

  #onRefused(decision: Decision, error: CoordinationError): void {
    const { log } = this.#options;
    const expected = expectedRefusals.has(error.code);
    log[expected ? 'debug' : 'warn'](
      { err: error, task: decision.task, decision: decision.kind },
      'a decision was refused',
    );
    this.#options.picture.lookAgain(decision.task);
    this.#settle(decision, monotonicMs() + (expected ? outrunMs : deferMs));
  }

  /** Of a worker that is gone. Tried once: a refusal means that something is in it, or that the worker is back. */
  #removeFolder(worker: WorkerId): void {
    const { picture, ledger, log } = this.#options;
    picture.index.abandoned.delete(worker);
    const removal: FolderRemoval = { kind: 'remove_folder', worker };
    this.#open.add(removal);
    void ledger
      .removeFolder(worker)
      .catch((error: unknown) => {
        if (!(error instanceof CoordinationError)) throw error;
        log.debug({ err: error, worker }, 'the folder of a worker that is gone stays');
      })
      .finally(() => this.#close(removal));
  }
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
