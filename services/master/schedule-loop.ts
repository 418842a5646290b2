// The leading master's clock for schedules: when a tick of one is due, it decides what to do (domain/schedule-plan.ts) and
// commits that together with the note that the tick was handled. Between ticks it does nothing, however many schedules there
// are. Ends with `signal`, after what it has begun.

import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { HandledTick, SeenSchedule, TickLedger } from '../../coordination/tick-ledger.ts';
import { nextRunAt } from '../../domain/schedule.ts';
import { planTick, type TickDecision } from '../../domain/schedule-plan.ts';
import type { TaskId } from '../../domain/task.ts';
import { Timeline } from '../../domain/timeline.ts';
import { timestampText } from '../../domain/timestamp.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Picture } from './picture.ts';
import { alarmMsMax, deferMs, expectedRefusals, outrunMs } from './refused-commits.ts';
import type { ScheduleEntry, ScheduleMirror } from './schedule-mirror.ts';
import { UnfinishedRuns } from './unfinished-runs.ts';

/** How long one turn decides; the next follows at once, after what else has come meanwhile. */
const turnMs = 20;

export interface ScheduleLoopOptions {
  readonly picture: Picture;
  readonly schedules: ScheduleMirror;
  readonly ledger: TickLedger;
  readonly log: Log;
  readonly onTick: (outcome: TickDecision['outcome']) => void;
  /** Another master has taken over. */
  readonly onFenced: () => void;
}

export class ScheduleLoop {
  readonly #options: ScheduleLoopOptions;
  readonly #changed = new Set<ScheduleEntry>();
  readonly #line: Timeline<ScheduleEntry>;
  readonly #open = new Set<Promise<void>>();
  readonly #unfinished: UnfinishedRuns;
  #wake: () => void = () => undefined;

  constructor(options: ScheduleLoopOptions) {
    this.#options = options;
    const { entries } = options.schedules;
    this.#unfinished = new UnfinishedRuns(options.picture.index);
    this.#line = new Timeline((entry, at) => entry.dueAt === at && entries.get(entry.name) === entry);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { picture, schedules } = this.#options;
    for (const entry of schedules.entries.values()) {
      Object.assign(entry, {
        dueAt: 0,
        deferredUntil: 0,
        busy: false,
        lastTask: null,
      } satisfies Partial<ScheduleEntry>);
      this.#changed.add(entry);
    }
    schedules.onChange = (entry) => this.#look(entry);
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort);
    let wasSynced = false;
    const stopListening = picture.onChange(() => {
      if (picture.synced !== wasSynced) this.#wake();
    });
    while (!signal.aborted) {
      wasSynced = picture.synced;
      await this.#untilWoken(wasSynced && schedules.synced ? this.#round(Date.now()) : alarmMsMax);
    }
    schedules.onChange = null;
    stopListening();
    signal.removeEventListener('abort', onAbort);
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  #look(entry: ScheduleEntry): void {
    this.#changed.add(entry);
    this.#wake();
  }

  /** Resolves in a turn of its own at the earliest. */
  #untilWoken(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => setImmediate(resolve), delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        setImmediate(resolve);
      };
    });
  }

  /** How long nothing is to be done, in ms. */
  #round(now: number): number {
    const endsAt = monotonicMs() + turnMs;
    for (const entry of this.#changed) {
      this.#changed.delete(entry);
      this.#attempt(entry, () => this.#lineUp(entry, now));
      if (monotonicMs() >= endsAt) return 0;
    }
    while (monotonicMs() < endsAt) {
      const due = this.#line.takeDue(now);
      if (!due) break;
      this.#attempt(due.thing, () => this.#handle(due.thing, now));
    }
    const nextAt = this.#line.nextAt ?? Infinity;
    return this.#changed.size > 0 ? 0 : Math.min(alarmMsMax, Math.max(0, nextAt - now));
  }

  /** A schedule that cannot be reckoned with is one of many: it makes nothing until it is changed, and the others go on. */
  #attempt(entry: ScheduleEntry, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#giveUp(entry, error);
    }
  }

  #giveUp(entry: ScheduleEntry, error: unknown): void {
    const what = 'a tick of this schedule cannot be worked out: it makes nothing until its definition is changed';
    this.#options.log.error({ err: error, schedule: entry.name }, what);
    const { definition } = entry;
    if (definition !== 'unread')
      entry.definition = { kind: 'unreadable', isNewer: false, why: what, version: definition.version };
  }

  #lineUp(entry: ScheduleEntry, now: number): void {
    const { definition, ticks, busy, deferredUntil } = entry;
    entry.dueAt = 0;
    if (busy || definition === 'unread' || definition.kind === 'unreadable' || ticks === 'unread') return;
    const at = nextRunAt(definition.record, ticks?.state ?? null, definition.next);
    if (at === null) return;
    entry.dueAt = Math.max(at, Math.min(deferredUntil, now + deferMs)); // the clock may have been set back
    this.#line.set(entry, entry.dueAt, this.#options.schedules.entries.size);
  }

  #handle(entry: ScheduleEntry, now: number): void {
    const { definition, ticks } = entry;
    if (definition === 'unread' || definition.kind === 'unreadable' || ticks === 'unread') return;
    const { record, next } = definition;
    const { rootVersion } = this.#options.schedules;
    if (rootVersion === null) return this.#defer(entry, now + outrunMs); // it is being made again
    if (record.overlap !== 'allow' && !this.#unfinished.isComplete()) return this.#defer(entry, now + outrunMs);
    const decision = planTick({
      ...{ record, state: ticks?.state ?? null, next, now },
      unfinished: this.#unfinished.of(entry.name),
      lastTask: this.#lastTaskOf(entry),
      nextNumber: this.#options.picture.sequence.next,
    });
    if (!decision) return this.#look(entry);
    this.#commit(entry, { record, version: definition.version, rootVersion }, decision, now);
  }

  #commit(
    entry: ScheduleEntry,
    seen: Pick<SeenSchedule, 'record' | 'version' | 'rootVersion'>,
    decision: TickDecision,
    now: number,
  ): void {
    const { ledger } = this.#options;
    const { name, ticks } = entry;
    const ticksVersion = ticks && ticks !== 'unread' ? ticks.version : null;
    entry.busy = true;
    const done = ledger
      .handle({ name, ...seen, ticksVersion }, decision, now)
      .then((handled) => this.#onHandled(entry, decision, handled))
      .catch((error: unknown) => this.#onFailure(entry, error))
      .finally(() => {
        entry.busy = false;
        this.#open.delete(done);
        this.#look(entry);
      });
    this.#open.add(done);
  }

  /** What the commit changed has been announced by now, and is perhaps not read yet. */
  #onHandled(entry: ScheduleEntry, { state, outcome, at }: TickDecision, { ticksVersion, task }: HandledTick): void {
    const { log, onTick } = this.#options;
    const before = entry.ticks && entry.ticks !== 'unread' ? entry.ticks.state : null;
    const missed = state.missed - (before?.missed ?? 0);
    const context = { schedule: entry.name, tick: timestampText(at) };
    if (missed > 0) log.warn({ ...context, missed }, 'ticks of a schedule were missed and are not made up');
    if (outcome === 'skipped' && before?.lastSkip?.why !== state.lastSkip?.why) {
      log.warn({ ...context, why: state.lastSkip?.why }, 'a tick of a schedule made no task; further ones are counted');
    }
    entry.ticks = { version: ticksVersion, state, czxid: null };
    entry.lastTask = task ?? entry.lastTask;
    if (task !== null) this.#unfinished.made(entry.name, task);
    onTick(outcome);
  }

  async #onFailure(entry: ScheduleEntry, error: unknown): Promise<void> {
    const { log, ledger, onFenced } = this.#options;
    if (!(error instanceof CoordinationError)) return this.#giveUp(entry, error);
    if (error.code === 'fenced') return onFenced();
    // What became of it is in the picture after that, or soon: whatever is decided before is refused by its version.
    if (error.outcome === 'unknown') await ledger.catchUp();
    const expected = error.outcome === 'unknown' || expectedRefusals.has(error.code);
    log[expected ? 'debug' : 'warn']({ err: error, schedule: entry.name }, 'a tick of a schedule was refused');
    entry.deferredUntil = Date.now() + (expected ? outrunMs : deferMs);
  }

  #defer(entry: ScheduleEntry, until: number): void {
    entry.deferredUntil = until;
    this.#look(entry);
  }

  /** A leader that did not make it itself may know it by the transaction that made it and wrote the state. */
  #lastTaskOf({ name, ticks, lastTask }: ScheduleEntry): TaskId | null {
    if (lastTask !== null || ticks === null || ticks === 'unread') return lastTask;
    return this.#unfinished.madeBy(name, ticks.czxid) ?? ticks.state.lastTask;
  }
}
