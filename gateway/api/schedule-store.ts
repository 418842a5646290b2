// What the gateway needs of the place where schedules are kept, as task-store.ts is for tasks. All failures are ServiceErrors:
// 'coordination-unavailable' (not applied, safe to repeat) and, from what changes something, 'outcome-unknown' can come from
// every method, beside those that it names.

import type { KeptSchedule, ScheduleRecord, ScheduleSnapshot } from '../../domain/schedule.ts';

export interface ChangedSchedule {
  /** As it is from the change on, or later. */
  readonly schedule: ScheduleSnapshot;
  readonly created: boolean;
}

export interface ScheduleStore {
  /**
   * Makes of the schedule what `change` says of what is kept of it (null: nothing). `change` may be asked more than once, and
   * what it throws is thrown. What is so already is not written. Throws 'too-many-schedules'; nothing once the change stands.
   */
  change(name: string, change: (kept: KeptSchedule | null) => ScheduleRecord): Promise<ChangedSchedule>;

  /** As it was at the call, or later; null: there is none. */
  read(name: string): Promise<ScheduleSnapshot | null>;

  /** The names of all of them that come after `after`, in order, as they were at the call or later. */
  names(after: string): Promise<readonly string[]>;

  /** As the last {@link names} found them, or later; those that have gone since are left out. */
  readAll(names: readonly string[]): Promise<readonly ScheduleSnapshot[]>;

  /** Its tasks stay. False: there is no such schedule. */
  remove(name: string): Promise<boolean>;
}
