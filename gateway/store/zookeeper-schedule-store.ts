// The schedule store of the gateway, on ZooKeeper: works in the present session, and turns what can go wrong there into the errors
// of the API. Without a session it refuses at once.

import { GroupCommit } from '../../coordination/group-commit.ts';
import {
  changeSchedule,
  readSchedule,
  readSynced,
  removeSchedule,
  scheduleNames,
} from '../../coordination/schedule-ledger.ts';
import type { Session } from '../../coordination/session.ts';
import type { KeptSchedule, ScheduleRecord, ScheduleSnapshot } from '../../domain/schedule.ts';
import { aborted } from '../../runtime/aborted.ts';
import type { ChangedSchedule, ScheduleStore } from '../api/schedule-store.ts';
import { inSession } from './store-errors.ts';

interface SessionParts {
  readonly session: Session;
  readonly commits: GroupCommit;
}

export class ZooKeeperScheduleStore implements ScheduleStore {
  #parts: SessionParts | null = null;

  /** Serves from `session` until it is lost or `stop` aborts. */
  async serve(session: Session, stop: AbortSignal): Promise<void> {
    this.#parts = { session, commits: new GroupCommit(session) };
    await aborted(AbortSignal.any([stop, session.signal]));
    this.#parts = null;
  }

  change(name: string, change: (kept: KeptSchedule | null) => ScheduleRecord): Promise<ChangedSchedule> {
    return this.#withSession(({ session, commits }) => changeSchedule(session, commits, name, change));
  }

  read(name: string): Promise<ScheduleSnapshot | null> {
    return this.#withSession(({ session }) => readSchedule(session, name));
  }

  names(after: string): Promise<readonly string[]> {
    return this.#withSession(({ session }) => scheduleNames(session, after));
  }

  readAll(names: readonly string[]): Promise<readonly ScheduleSnapshot[]> {
    return this.#withSession(async ({ session }) => {
      const found = await Promise.all(names.map((name) => readSynced(session, name)));
      return found.filter((schedule) => schedule !== null);
    });
  }

  remove(name: string): Promise<boolean> {
    return this.#withSession(({ session, commits }) => removeSchedule(session, commits, name));
  }

  #withSession<T>(work: (parts: SessionParts) => Promise<T>): Promise<T> {
    return inSession(this.#parts, work);
  }
}
