// When a task is looked at again by itself, since time alone makes it another: by the clock, for times that were agreed on (its
// own time, its deadline), and by uptime, which nobody sets, for what takes so long: runs that should have ended by then, and the
// end of what sets a task aside. Pure.

import { notBeforeOf } from './entry-state.ts';
import type { TaskState } from './task.ts';
import { briefOf, type TaskEntry } from './task-entry.ts';
import { Timeline } from './timeline.ts';
import { type Clocks, nextReviewOf } from './withdrawal.ts';

export class TaskAlarms {
  readonly #alarms = new Timeline<TaskEntry>((entry, at) => entry.alarmAt === at);
  readonly #reviews = new Timeline<TaskEntry>((entry, at) => entry.reviewAt === at);
  /** Tasks that have one each. */
  #alarmed = 0;
  #reviewed = 0;
  readonly #clocks = { now: 0, uptime: 0 };

  /** As of the last {@link setNow} and the last {@link setUptime}. */
  get clocks(): Clocks {
    return this.#clocks;
  }

  /** Alarms that are set, those of tasks that are gone included. */
  get size(): number {
    return this.#alarms.size;
  }

  /** Epoch ms; null: none is set. */
  get nextAlarmAt(): number | null {
    return this.#alarms.nextAt;
  }

  /** Uptime in ms; null: nothing runs. */
  get nextReviewAt(): number | null {
    return this.#reviews.nextAt;
  }

  setNow(now: number): void {
    this.#clocks.now = now;
  }

  setUptime(uptime: number): void {
    this.#clocks.uptime = uptime;
  }

  /** The one whose alarm went off first. */
  takeDue(): TaskEntry | null {
    const alarm = this.#alarms.takeDue(this.#clocks.now);
    if (!alarm) return null;
    this.#setAlarm(alarm.thing, 0);
    return alarm.thing;
  }

  /** One whose run should have ended, or that is set aside no more. */
  takeReview(): TaskEntry | null {
    const review = this.#reviews.takeDue(this.#clocks.uptime);
    if (!review) return null;
    const { thing: entry, at } = review;
    this.#setReview(entry, 0);
    if (entry.deferredUntil <= at) entry.deferredUntil = 0;
    if (entry.pausedUntil <= at) entry.pausedUntil = 0;
    if (entry.goneUntil <= at) entry.goneUntil = 0;
    return entry;
  }

  /** To be called after each change of the entry, with its state; null where that is not known at the moment. */
  update(entry: TaskEntry, state: TaskState | null): void {
    const { status } = entry;
    const due = state === 'scheduled' ? notBeforeOf(entry) : 'unread';
    if (due !== 'unread') this.#alarm(entry, due);
    if (status === null) this.#alarm(entry, briefOf(entry)?.deadlineAt ?? Infinity);
    const runs = status === null ? nextReviewOf(entry, this.#clocks.uptime) : Infinity;
    const { deferredUntil, pausedUntil, goneUntil } = entry;
    this.#review(entry, Math.min(runs, deferredUntil || Infinity, pausedUntil || Infinity, goneUntil || Infinity));
  }

  /** What is still set for it is idle from now on. */
  forget(entry: TaskEntry): void {
    this.#setAlarm(entry, 0);
    this.#setReview(entry, 0);
  }

  /** An alarm that is set already and comes earlier is enough: it is set anew when that one went off. */
  #alarm(entry: TaskEntry, at: number): void {
    if (at <= this.#clocks.now || at === Infinity) return;
    if (entry.alarmAt !== 0 && entry.alarmAt <= at) return;
    this.#setAlarm(entry, at);
    this.#alarms.set(entry, at, this.#alarmed);
  }

  #setAlarm(entry: TaskEntry, at: number): void {
    this.#alarmed += Number(at !== 0) - Number(entry.alarmAt !== 0);
    entry.alarmAt = at;
  }

  #setReview(entry: TaskEntry, at: number): void {
    this.#reviewed += Number(at !== 0) - Number(entry.reviewAt !== 0);
    entry.reviewAt = at;
  }

  #review(entry: TaskEntry, at: number): void {
    if (at === entry.reviewAt) return;
    this.#setReview(entry, at === Infinity ? 0 : at);
    if (at !== Infinity) this.#reviews.set(entry, at, this.#reviewed);
  }
}
