// The warm picture of the schedules: a mirror of `/schedules`, which leader and standbys keep alike. What cannot be read is
// logged once and makes nothing.

import { makeParentsAgain } from '../../coordination/bootstrap.ts';
import { isNewer } from '../../coordination/record-json.ts';
import { decodeSchedule, decodeTicks, type ScheduleReading } from '../../coordination/schedule-records.ts';
import type { Session } from '../../coordination/session.ts';
import { TreeCache } from '../../coordination/tree-cache.ts';
import { parseSchedulePath, paths } from '../../coordination/znode-paths.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { TickState } from '../../domain/schedule.ts';
import type { TaskId } from '../../domain/task.ts';
import type { Log } from '../../runtime/log.ts';

/** More oddities than these are not logged any more. */
const loggedLinesMax = 1000;

export interface ScheduleEntry {
  readonly name: string;
  definition: (ScheduleReading & { readonly version: number }) | 'unread';
  /** How far it has come; null before its first tick. */
  ticks: { readonly version: number; readonly state: TickState; readonly czxid: bigint | null } | 'unread' | null;
  /** What the leader notes for itself: when it looks next, epoch ms, 0 for never. */
  dueAt: number;
  /** Not before then, after a refusal; epoch ms. */
  deferredUntil: number;
  /** A tick is being committed. */
  busy: boolean;
  /** The last task that it made, as this leader knows. */
  lastTask: TaskId | null;
}

export class ScheduleMirror {
  readonly entries = new Map<string, ScheduleEntry>();
  /** Told of each schedule that has changed, while somebody wants to know. */
  onChange: ((entry: ScheduleEntry) => void) | null = null;
  /** Of `/schedules`, which changes when a schedule is removed; null before it is read. */
  rootVersion: number | null = null;
  readonly #session: Session;
  readonly #mirror: TreeCache;
  readonly #log: Log;
  readonly #logged = new Set<string>();

  constructor(session: Session, log: Log) {
    this.#session = session;
    this.#log = log;
    this.#mirror = new TreeCache(session, paths.schedules, 2, {
      onPresent: (path, znode) => this.#onNode(path, znode),
      onAbsent: (path) => this.#onNode(path, undefined),
      onForbidden: (path) => this.logOnce(path, 'this may not be read, and makes nothing'),
      onSynced: () => {
        for (const entry of this.entries.values()) this.onChange?.(entry);
      },
    });
  }

  /** True while it is complete and current. */
  get synced(): boolean {
    return this.#mirror.synced;
  }

  /** Resolves with the first complete picture; rejects when the session ends before. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  logOnce(path: string, what: string): void {
    const line = `${path} ${what}`;
    if (this.#logged.has(line) || this.#logged.size >= loggedLinesMax) return;
    this.#logged.add(line);
    this.#log.warn({ path }, what);
  }

  /** `undefined` means that the znode is gone, null that it is there and not read yet. */
  #onNode(path: string, znode: Znode | null | undefined): void {
    if (path === paths.schedules) return this.#onRoot(znode);
    const parsed = parseSchedulePath(path);
    if (!parsed) return this.logOnce(path, 'this is no schedule, nor part of one');
    const entry = this.entries.get(parsed.schedule) ?? newEntry(parsed.schedule);
    if (parsed.isTicks) this.#onTicks(path, entry, znode);
    else if (znode === undefined) this.entries.delete(parsed.schedule);
    else this.#onDefinition(path, entry, znode);
    this.onChange?.(entry);
  }

  /** Removed by somebody, it is made again. */
  #onRoot(znode: Znode | null | undefined): void {
    this.rootVersion = znode ? znode.stat.version : null;
    if (znode === undefined) void makeParentsAgain(this.#session, this.#log);
  }

  #onTicks(path: string, entry: ScheduleEntry, znode: Znode | null | undefined): void {
    if (znode === undefined) entry.ticks = null;
    else if (znode === null) entry.ticks = 'unread';
    else if (isNewer(znode.data)) {
      this.logOnce(
        path,
        'a newer version of Taskkeeper wrote how far this schedule has come: its ticks are left to that',
      );
      entry.ticks = 'unread';
    } else {
      const { version, mtime, mzxid: czxid } = znode.stat;
      entry.ticks = { version, state: decodeTicks(znode.data, mtime), czxid };
    }
  }

  #onDefinition(path: string, entry: ScheduleEntry, znode: Znode | null): void {
    this.entries.set(entry.name, entry);
    if (znode === null) {
      entry.definition = 'unread';
      return;
    }
    const reading = decodeSchedule(znode.data, znode.stat.mtime);
    if (reading.kind === 'unreadable') this.logOnce(path, `this is no schedule, and makes nothing: ${reading.why}`);
    entry.definition = { ...reading, version: znode.stat.version };
  }
}

function newEntry(name: string): ScheduleEntry {
  return { name, definition: 'unread', ticks: null, dueAt: 0, deferredUntil: 0, busy: false, lastTask: null };
}
