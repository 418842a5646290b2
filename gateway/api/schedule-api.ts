// The one implementation of schedules behind both faces. Nothing of it needs a master that leads: that makes the tasks when
// their time comes. What it throws are ServiceErrors.

import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import {
  type KeptSchedule,
  recordOfSchedule,
  type ScheduleRecord,
  type ScheduleSnapshot,
} from '../../domain/schedule.ts';
import type { ScheduleRequest } from './schedule-requests.ts';
import type { ChangedSchedule, ScheduleStore } from './schedule-store.ts';
import type { SubmittedTask } from './task-api.ts';
import { makeTask } from './task-making.ts';
import { fingerprintOf, recordOf } from './task-origin.ts';
import type { TaskStore } from './task-store.ts';

export interface SchedulePage {
  /** By name. */
  readonly schedules: readonly ScheduleSnapshot[];
  /** Null: these were the last ones. */
  readonly nextCursor: string | null;
}

export interface SchedulePageSize {
  /** What a schedule takes of the answer as it will be sent, in bytes. */
  of(schedule: ScheduleSnapshot): number;
  /** The first schedule is in the answer all the same. */
  readonly max: number;
}

export class ScheduleApi {
  readonly #store: ScheduleStore;
  readonly #tasks: TaskStore;

  constructor(store: ScheduleStore, tasks: TaskStore) {
    this.#store = store;
    this.#tasks = tasks;
  }

  /**
   * The schedule is as requested from now on, whatever it was, but for one that a newer version of us wrote: that is
   * 'schedule-unreadable'. Throws 'too-many-schedules'.
   */
  put(name: string, request: ScheduleRequest, now = Date.now()): Promise<ChangedSchedule> {
    return this.#store.change(name, (kept) => {
      if (kept?.isNewer) throw unreadable(name, kept);
      const before = kept?.record ?? null;
      return recordOfSchedule({ ...request, paused: request.paused ?? before?.paused ?? false }, before, now);
    });
  }

  /** Throws 'schedule-not-found'. */
  async get(name: string): Promise<ScheduleSnapshot> {
    const schedule = await this.#store.read(name);
    if (!schedule) throw scheduleNotFound(name);
    return schedule;
  }

  /** All of them after `cursor`, unless they are too large together: then the page ends before. */
  async list(cursor: string | null, size: SchedulePageSize): Promise<SchedulePage> {
    const names = await this.#store.names(cursor ?? '');
    const schedules: ScheduleSnapshot[] = [];
    let bytes = 0;
    for (let first = 0; first < names.length; first += limits.listReadsAtOnce) {
      for (const schedule of await this.#store.readAll(names.slice(first, first + limits.listReadsAtOnce))) {
        bytes += size.of(schedule);
        const last = schedules.at(-1);
        if (last && bytes > size.max) return { schedules, nextCursor: last.name };
        schedules.push(schedule);
      }
    }
    return { schedules, nextCursor: null };
  }

  /** Its tasks stay. Throws 'schedule-not-found'. */
  async remove(name: string): Promise<void> {
    if (!(await this.#store.remove(name))) throw scheduleNotFound(name);
  }

  /** Ticks that pass while it is paused are not made up. Throws 'schedule-not-found' and 'schedule-unreadable'. */
  async setPaused(name: string, paused: boolean, now = Date.now()): Promise<ScheduleSnapshot> {
    const { schedule } = await this.#store.change(name, (kept) => {
      const record = requireReadable(name, kept);
      return record.paused === paused ? record : recordOfSchedule({ ...record, paused }, record, now);
    });
    return schedule;
  }

  /** Makes a task now, for no tick, also while the schedule is paused. Throws as {@link setPaused}, and as a submit. */
  run(name: string, idempotencyKey: string | null): Promise<SubmittedTask> {
    return makeTask(this.#tasks, idempotencyKey, fingerprintOf({ runOf: name }), async () => {
      const { task } = requireReadable(name, await this.#store.read(name));
      return recordOf(task, { idempotencyKey, schedule: { name, at: null } });
    });
  }
}

function requireReadable(name: string, kept: KeptSchedule | null): ScheduleRecord {
  if (!kept) throw scheduleNotFound(name);
  if (kept.record) return kept.record;
  throw unreadable(name, kept);
}

function unreadable(name: string, { fault, isNewer }: KeptSchedule): ServiceError {
  const remedy = isNewer
    ? 'A newer version of Taskkeeper wrote it: change it through a gateway of that version, or delete it.'
    : 'Put it anew, or delete it.';
  return new ServiceError(
    'schedule-unreadable',
    `What is kept of schedule ${name} cannot be read: ${fault}. ${remedy}`,
  );
}

function scheduleNotFound(name: string): ServiceError {
  return new ServiceError('schedule-not-found', `There is no schedule ${JSON.stringify(name)}.`);
}
