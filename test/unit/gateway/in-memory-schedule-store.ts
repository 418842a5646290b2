// A ScheduleStore in memory, for tests of what the gateway makes of requests and answers. It keeps what the ensemble would: the
// data of znodes.

import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { decodeSchedule, encodeSchedule } from '../../../coordination/schedule-records.ts';
import { ServiceError } from '../../../domain/errors.ts';
import {
  type KeptSchedule,
  nextRunAt,
  type ScheduleRecord,
  type ScheduleSnapshot,
  type TickState,
} from '../../../domain/schedule.ts';
import type { TaskId } from '../../../domain/task.ts';
import type { ChangedSchedule, ScheduleStore } from '../../../gateway/api/schedule-store.ts';

export interface StoredSchedule {
  data: Buffer;
  readonly createdAt: number;
  updatedAt: number;
  state: TickState | null;
  lastTask: TaskId | null;
}

export class InMemoryScheduleStore implements ScheduleStore {
  readonly schedules = new Map<string, StoredSchedule>();
  /** Thrown by everything until it is null again. */
  failure: ServiceError | null = null;
  /** New ones beyond so many are refused. */
  max = Infinity;
  writes = 0;

  /** As somebody might write it by hand. */
  put(name: string, data: string): StoredSchedule {
    const now = Date.now();
    const stored = { data: Buffer.from(data), createdAt: now, updatedAt: now, state: null, lastTask: null };
    this.schedules.set(name, stored);
    return stored;
  }

  async change(name: string, change: (kept: KeptSchedule | null) => ScheduleRecord): Promise<ChangedSchedule> {
    if (this.failure) throw this.failure;
    const stored = this.schedules.get(name);
    const kept = this.#snapshot(name);
    const record = change(kept);
    if (kept && isDeepStrictEqual(record, kept.record)) return { schedule: kept, created: false };
    const data = encodeSchedule(record, stored?.data);
    if (!stored && this.schedules.size >= this.max) throw new ServiceError('too-many-schedules', 'Too many.');
    this.writes += 1;
    if (stored) Object.assign(stored, { data, updatedAt: Date.now() });
    else this.put(name, data.toString());
    const schedule = this.#snapshot(name);
    assert.ok(schedule);
    return { schedule, created: !stored };
  }

  async read(name: string): Promise<ScheduleSnapshot | null> {
    if (this.failure) throw this.failure;
    return this.#snapshot(name);
  }

  async names(after: string): Promise<readonly string[]> {
    if (this.failure) throw this.failure;
    return [...this.schedules.keys()].filter((name) => name > after).sort();
  }

  async readAll(names: readonly string[]): Promise<readonly ScheduleSnapshot[]> {
    return names.map((name) => this.#snapshot(name)).filter((schedule) => schedule !== null);
  }

  async remove(name: string): Promise<boolean> {
    if (this.failure) throw this.failure;
    return this.schedules.delete(name);
  }

  #snapshot(name: string): ScheduleSnapshot | null {
    const stored = this.schedules.get(name);
    if (!stored) return null;
    const { data, state, ...rest } = stored;
    const reading = decodeSchedule(data, stored.updatedAt);
    if (reading.kind === 'unreadable')
      return { ...rest, name, state, record: null, fault: reading.why, isNewer: reading.isNewer, nextRunAt: null };
    const { record, next } = reading;
    return { ...rest, name, state, record, fault: null, nextRunAt: nextRunAt(record, state, next) };
  }
}
